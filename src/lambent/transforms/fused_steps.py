"""The steps of a level of Glow on the fast path, channel by channel.

The state lies as ``(c, b, h, w)`` between the steps. Actnorms are folded into the mixes, the mixes'
matrices are made for all steps at once, and each step is one step of autograd with its backward
pass written out.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from lambent.core.transform import zero_log_det
from lambent.nn.checkpoint import Wide, run, run_vjp, wide_layers
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
    mixing = _mixing(steps, x)
    total = zero_log_det(x) + math.prod(x.shape[2:]) * mixing.log_det
    state = x.transpose(0, 1)
    for step, weight, shift in zip(
        steps, mixing.weight.unbind(), mixing.shift.unbind(), strict=True
    ):
        g, wide = step.coupling.elementwise, _wide(step, x, context)
        state, log_det = _Fused.apply(  # type: ignore[no-untyped-call]
            g, wide.without_inputs(), state, weight, shift, *wide.inputs
        )
        total = total + log_det
    return state.transpose(0, 1), total


class _Fused(torch.autograd.Function):
    """A step, channel by channel: mix and shift, run the network on one half, change the other."""

    @staticmethod
    def forward(
        ctx: Any, g: Elementwise, wide: Wide, x: Tensor, weight: Tensor, shift: Tensor, *inputs: Any
    ) -> tuple[Tensor, Tensor]:
        a, b = _halves(torch.addmm(shift, weight, x.flatten(1)).view(x.shape))
        raw, kept = run(a, wide.of(inputs))
        y, log_derivative = g.forward(b, _by_element(raw, b))
        ctx.g, ctx.wide, ctx.count = g, wide, 4 + len(inputs)
        ctx.save_for_backward(x, weight, shift, raw, *inputs, *kept)
        return torch.cat((a, y)), log_derivative.sum((0, 2, 3))

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_z: Tensor, grad_log_det: Tensor) -> tuple[Any, ...]:
        x, weight, shift, raw, *inputs = ctx.saved_tensors[: ctx.count]
        kept = ctx.saved_tensors[ctx.count :]
        flat = x.flatten(1)
        a, b = _halves(torch.addmm(shift, weight, flat).view(x.shape))
        grad_a, grad_y = _halves(grad_z)
        grad_b, grad_params = elementwise_vjp(
            ctx.g, b, _by_element(raw, b), grad_y, grad_log_det[:, None, None]
        )
        grad_raw = grad_params.movedim(-1, 1).reshape(raw.shape)
        through, others = run_vjp(a, ctx.wide.of(inputs), kept, grad_raw)
        grad = torch.cat((through.add_(grad_a), grad_b)).flatten(1)
        grad_x = (weight.t() @ grad).view(x.shape)
        return None, None, grad_x, grad @ flat.t(), grad.sum(1, keepdim=True), *others


def _wide(step: GlowStep, x: Tensor, context: Context | None) -> Wide:
    """A step's conditioner as the fast path takes it."""
    wide: Wide = step.coupling.net.wide(x, context)  # type: ignore[operator]
    return wide


def _halves(x: Tensor) -> tuple[Tensor, Tensor]:
    """What conditions and what is changed, of a state ``(c, b, h, w)``."""
    kept = len(x) // 2
    return x[:kept], x[kept:]


def _by_element(raw: Tensor, b: Tensor) -> Tensor:
    """What the network put out, ``(c_b k, b, h, w)``, with a last axis of ``k``."""
    return raw.view(len(b), -1, *b.shape[1:]).movedim(1, -1)


def undo_steps(steps: Sequence[GlowStep], z: Z, context: Context | None) -> tuple[X, PerSample]:
    """Undo the steps, last to first; the mixes' inverses are found in float64.

    Args:
        steps: The steps.
        z: ``(b, c, h, w)``.
        context: What they are conditioned on.

    Returns:
        The state before them and minus their contribution.
    """
    mixing = _mixing(steps, z)
    total = zero_log_det(z) - math.prod(z.shape[2:]) * mixing.log_det
    z = z.transpose(0, 1)
    weights = torch.linalg.inv(in_float64(mixing.weight)).to(z).unbind()
    for step, weight, shift in zip(
        reversed(steps), reversed(weights), reversed(mixing.shift.unbind()), strict=True
    ):
        a, y = _halves(z)
        raw = wide_layers(a, _wide(step, z.transpose(0, 1), context))
        b, log_derivative = step.coupling.elementwise.inverse(y, _by_element(raw, y))
        total = total + log_derivative.sum((0, *range(2, z.ndim)))
        z = (weight @ (torch.cat((a, b)).flatten(1) - shift)).view(z.shape)
    return z.transpose(0, 1), total
