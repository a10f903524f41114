"""The steps of a level of Glow on the fast path, channel by channel.

The state lies as ``(c, n)`` between the steps, with ``n = b h w`` places. Actnorms are folded into
the mixes, the mixes' matrices are made for all steps at once, and each step is one step of autograd
with its backward pass written out.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from lambent.nn.checkpoint import run, run_vjp, wide_layers
from lambent.nn.gemm import Grid
from lambent.nn.wide import Wide
from lambent.transforms.actnorm import ActNorm
from lambent.transforms.coupling import Coupling
from lambent.transforms.elementwise import Elementwise
from lambent.transforms.elementwise_vjp import elementwise_vjp
from lambent.transforms.linear import ChannelMix, in_float64
from lambent.transforms.permute import Permute
from lambent.types import Context, PerSample, X, Z


class GlowStep(NamedTuple):
    """A step of flow."""

    actnorm: ActNorm
    mix: ChannelMix | Permute
    coupling: Coupling


class Mixing(NamedTuple):
    """Actnorm and mix of every step as one affine map of the channels: ``weight x + shift``."""

    weight: Tensor
    """``(k, c, c)``."""
    shift: Tensor
    """``(k, c, 1)``."""
    log_det: Tensor
    """Sum over the steps of ``ln |det weight|``, a scalar."""


def _mixing(steps: Sequence[GlowStep], like: Tensor) -> Mixing:
    """Fold every actnorm into the mix behind it: ``W (e^l (x + b)) = (W e^l) x + W e^l b``."""
    norms = [step.actnorm.affine for step in steps]
    log_scale = torch.stack([norm.log_scale for norm in norms])
    bias = torch.stack([norm.bias for norm in norms])
    mixes = [step.mix for step in steps]
    weight, log_det = type(mixes[0]).stacked(mixes)
    weight = weight.to(like) * log_scale.exp()[:, None]
    return Mixing(weight, weight @ bias[:, :, None], log_det.sum() + log_scale.sum())


def run_steps(steps: Sequence[GlowStep], x: X, context: Context | None) -> tuple[Z, PerSample]:
    """Run the steps, first to last.

    Args:
        steps: The steps; their conditioners say what the fast path takes (``wide``).
        x: ``(b, c, h, w)``.
        context: What they are conditioned on.

    Returns:
        The state after them and their contribution.
    """
    mixing, wides, lying, grid = _prepared(steps, x, context)
    state, log_dets = lying.flatten(1), []
    for step, wide, weight, shift in zip(
        steps, wides, mixing.weight.unbind(), mixing.shift.unbind(), strict=True
    ):
        state, log_det = _Fused.apply(  # type: ignore[no-untyped-call]
            step.coupling.elementwise,
            wide.without_inputs(),
            grid,
            state,
            weight,
            shift,
            *wide.inputs,
        )
        log_dets.append(log_det)
    total = torch.stack(log_dets).sum(0) + grid.places * mixing.log_det
    return state.view(lying.shape).transpose(0, 1), total


class _Fused(torch.autograd.Function):
    """A step, channel by channel: mix and shift, run the network on one half, change the other."""

    @staticmethod
    def forward(
        ctx: Any,
        g: Elementwise,
        wide: Wide,
        grid: Grid,
        x: Tensor,
        weight: Tensor,
        shift: Tensor,
        *inputs: Any,
    ) -> tuple[Tensor, Tensor]:
        z = torch.addmm(shift, weight, x)
        a, b = _halves(z)
        raw, kept = run(a, grid, wide.of(inputs))
        y, log_derivative = g.forward(*_elements(b, raw, grid))
        b.view(y.shape).copy_(y)
        ctx.g, ctx.wide, ctx.grid, ctx.count = g, wide, grid, 5 + len(inputs)
        ctx.save_for_backward(x, z, weight, shift, raw, *inputs, *kept)
        return z, log_derivative.sum((0, 2))

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_z: Tensor, grad_log_det: Tensor) -> tuple[Any, ...]:
        x, z, weight, shift, raw, *inputs = ctx.saved_tensors[: ctx.count]
        kept = ctx.saved_tensors[ctx.count :]
        (a, y), (grad_a, grad_y) = _halves(z), _halves(grad_z)
        y, params = _elements(y, raw, ctx.grid)

        def changed() -> Tensor:
            """What the elementwise map read."""
            return torch.addmm(shift, weight, x)[len(a) :].view(y.shape)

        grad_b, grad_params = elementwise_vjp(
            ctx.g, y, params, grad_y.view(y.shape), grad_log_det[:, None], changed
        )
        grad_raw = grad_params.movedim(-1, 1).reshape(raw.shape)
        through, others = run_vjp(a, ctx.grid, ctx.wide.of(inputs), kept, raw, grad_raw)
        grad = torch.cat((through.add_(grad_a), grad_b.reshape(grad_y.shape)))
        grad_x, grad_weight = weight.t() @ grad, grad @ x.t()
        return None, None, None, grad_x, grad_weight, grad.sum(1, keepdim=True), *others


def _prepared(
    steps: Sequence[GlowStep], x: Tensor, context: Context | None
) -> tuple[Mixing, list[Wide], Tensor, Grid]:
    """What all steps share, their networks, and the state channel by channel."""
    lying = x.transpose(0, 1)
    wides: list[Wide] = [step.coupling.net.wide(x, context) for step in steps]  # type: ignore[operator]
    return _mixing(steps, x), wides, lying, Grid.of(lying)


def _halves(x: Tensor) -> tuple[Tensor, Tensor]:
    """What conditions and what is changed, of a state ``(c, n)``."""
    kept = len(x) // 2
    a, b = x.split((kept, len(x) - kept))
    return a, b


def _elements(b: Tensor, raw: Tensor, grid: Grid) -> tuple[Tensor, Tensor]:
    """What is changed, ``(c_b, b, h w)``, and its parameters, with a last axis of ``k``."""
    shape = (grid.events, grid.places)
    return b.view(-1, *shape), raw.view(len(b), -1, *shape).movedim(1, -1)


def undo_steps(steps: Sequence[GlowStep], z: Z, context: Context | None) -> tuple[X, PerSample]:
    """Undo the steps, last to first; the mixes' inverses are found in float64.

    Args:
        steps: The steps.
        z: ``(b, c, h, w)``.
        context: What they are conditioned on.

    Returns:
        The state before them and minus their contribution.
    """
    mixing, wides, lying, grid = _prepared(steps, z, context)
    state, log_dets = lying.flatten(1), []
    weights = torch.linalg.inv(in_float64(mixing.weight)).to(z).unbind()
    shifts = mixing.shift.unbind()
    for k in reversed(range(len(steps))):
        a, y = _halves(state)
        raw = wide_layers(a, wides[k], grid)
        b, log_derivative = steps[k].coupling.elementwise.inverse(*_elements(y, raw, grid))
        log_dets.append(log_derivative.sum((0, 2)))
        state = weights[k] @ (torch.cat((a, b.reshape(y.shape))) - shifts[k])
    total = torch.stack(log_dets).sum(0) - grid.places * mixing.log_det
    return state.view(lying.shape).transpose(0, 1), total
