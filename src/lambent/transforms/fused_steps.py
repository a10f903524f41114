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

from lambent.nn import wide as passes
from lambent.nn.checkpoint import wide_layers
from lambent.nn.grid import Grid
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
    lying = x.transpose(0, 1)
    mixing, grid = _mixing(steps, x), Grid.of(lying)
    state, log_dets = lying.flatten(1), []
    for step, weight, shift in zip(
        steps, mixing.weight.unbind(), mixing.shift.unbind(), strict=True
    ):
        g, wide = step.coupling.elementwise, _wide(step, x, context)
        state, log_det = _Fused.apply(  # type: ignore[no-untyped-call]
            state, weight, shift, g, grid, wide.without_inputs(), *wide.inputs
        )
        log_dets.append(log_det)
    total = torch.stack(log_dets).sum(0) + grid.places * mixing.log_det
    return state.view(lying.shape).transpose(0, 1), total


class _Fused(torch.autograd.Function):
    """A step, channel by channel: mix and shift, run the network on one half, change the other."""

    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        weight: Tensor,
        shift: Tensor,
        g: Elementwise,
        grid: Grid,
        wide: Wide,
        *inputs: Any,
    ) -> tuple[Tensor, Tensor]:
        z = torch.addmm(shift, weight, x)
        a, b = _halves(z)
        raw, kept = passes.forward(a, grid, wide.of(inputs))
        y, log_derivative = g.forward(*_elements(b, raw, grid))
        b.view(y.shape).copy_(y)
        ctx.g, ctx.grid, ctx.wide, ctx.count = g, grid, wide, 5 + len(inputs)
        ctx.save_for_backward(x, z, weight, shift, raw, *inputs, *kept)
        return z, log_derivative.sum((0, 2))

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_z: Tensor, grad_log_det: Tensor) -> tuple[Any, ...]:
        x, z, weight, shift, raw, *inputs = ctx.saved_tensors[: ctx.count]
        kept = ctx.saved_tensors[ctx.count :]
        (a, changed), (grad_a, grad_changed) = _halves(z), _halves(grad_z)
        y, params = _elements(changed, raw, ctx.grid)

        def before() -> Tensor:
            """What the elementwise map read."""
            return torch.addmm(shift[len(a) :], weight[len(a) :], x).view(y.shape)

        grad_b, grad_params = elementwise_vjp(
            ctx.g, y, params, grad_changed.view(y.shape), grad_log_det[:, None], before
        )
        grad_raw = grad_params.movedim(-1, 1).reshape(raw.shape)
        through, others = passes.backward(a, ctx.grid, ctx.wide.of(inputs), kept, raw, grad_raw)
        grad = torch.cat((through.add_(grad_a), grad_b.reshape(changed.shape)))
        grad_x, grad_weight = weight.t() @ grad, grad @ x.t()
        return grad_x, grad_weight, grad.sum(1, keepdim=True), None, None, None, *others


def _wide(step: GlowStep, x: Tensor, context: Context | None) -> Wide:
    """A step's conditioner as the fast path takes it."""
    wide: Wide = step.coupling.net.wide(x, context)  # type: ignore[operator]
    return wide


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
    lying = z.transpose(0, 1)
    mixing, grid = _mixing(steps, z), Grid.of(lying)
    state, log_dets = lying.flatten(1), []
    weights = torch.linalg.inv(in_float64(mixing.weight)).to(z).unbind()
    for step, weight, shift in zip(
        reversed(steps), reversed(weights), reversed(mixing.shift.unbind()), strict=True
    ):
        a, y = _halves(state)
        raw = wide_layers(a, grid, _wide(step, z, context))
        b, log_derivative = step.coupling.elementwise.inverse(*_elements(y, raw, grid))
        log_dets.append(log_derivative.sum((0, 2)))
        state = weight @ (torch.cat((a, b.reshape(y.shape))) - shift)
    total = torch.stack(log_dets).sum(0) - grid.places * mixing.log_det
    return state.view(lying.shape).transpose(0, 1), total
