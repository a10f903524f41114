"""Glow's coupling network as matrices: norms, scales and border folded in, and the way back.

Written out, gradients included, because autograd's way through these many small tensors took as
long as the products themselves at a width of 128.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from lambent.nn.gemm import Matrices


class Weights(NamedTuple):
    """The parameters of the network; also their gradients."""

    first: Tensor
    """``(width, c, 3, 3)``; the last channel is the border's, where there is one."""
    bias1: Tensor
    """Of the first norm, or convolution, ``(width,)``."""
    raw1: Tensor | None
    """Raw log-scale of the first norm, ``(width,)``."""
    second: Tensor
    """``(width, width)``."""
    bias2: Tensor
    """As ``bias1``."""
    raw2: Tensor | None
    """As ``raw1``."""
    last: Tensor
    """``(k, width, 3, 3)``, or ``(k, width + 1, 3, 3)`` with a border."""
    bias: Tensor
    """Of the last convolution, ``(k,)``."""
    raw: Tensor
    """Raw log-scale of what it puts out, ``(k,)``."""


class Folded(NamedTuple):
    """The network as matrices, and what the way back needs."""

    matrices: Matrices
    offset: Tensor
    """What the last layer adds, ``(k, h w)`` or ``(k, 1)``."""
    scale: Tensor
    """Of what the network puts out, ``(k,)``."""
    scale1: Tensor | None
    """Of the first norm, ``(width,)``."""
    scale2: Tensor | None
    """Of the second."""


def fold(w: Weights, factor: float, edge: Tensor, shifts: tuple[Tensor, ...]) -> Folded:
    r"""Fold norms, scales and border into the matrices.

    With ``s = exp(factor raw)`` and positive: ``relu((W x + b) s + t) = relu(s W x + s b + t)`` for
    the first layer, and ``= s relu(W x + b + t / s)`` for the second, whose ``s`` goes on to the
    last.

    Args:
        w: The parameters.
        factor: Factor of every raw log-scale.
        edge: What a window sees of the border from each place, ``(9, h w)``; ``(0, h w)`` if none.
        shifts: What the context adds to either hidden layer, each ``(b, width)``, or nothing.

    Returns:
        The matrices.
    """
    scale = (factor * w.raw).exp()
    width = len(w.second)
    first, add1, add2 = w.first.flatten(1), w.bias1, w.bias2
    third = w.last[:, :width].flatten(2).flip(2).transpose(1, 2)  # the tap seen from the far side
    factors = scale[:, None, None]
    scale1 = scale2 = None
    if w.raw1 is not None and w.raw2 is not None:
        scale1, scale2 = (factor * w.raw1).exp(), (factor * w.raw2).exp()
        first, add1 = first * scale1[:, None], add1 * scale1
        factors = factors * scale2
    if shifts:
        add1 = (add1 + shifts[0])[:, None]
        add2 = (add2 + (shifts[1] if scale2 is None else shifts[1] / scale2))[:, None]
    third = torch.mul(third, factors, out=third.new_empty(third.shape)).flatten(0, 1)
    offset = w.bias[:, None]
    if len(edge):
        offset = torch.addmm(offset, w.last[:, width].flatten(1), edge)
    matrices = Matrices(first, add1, w.second, add2, third)
    return Folded(matrices, offset * scale[:, None], scale, scale1, scale2)


def unfold(
    w: Weights,
    folded: Folded,
    factor: float,
    edge: Tensor,
    shifts: tuple[Tensor, ...],
    grads: Matrices,
    grad_offset: Tensor,
) -> tuple[Weights, tuple[Tensor, ...]]:
    """The gradients of parameters and shifts from those of the matrices: the way back of `fold`.

    Args:
        w: The parameters.
        folded: What they were folded into.
        factor: As for `fold`.
        edge: As for `fold`.
        shifts: As for `fold`.
        grads: Gradients of the matrices.
        grad_offset: Gradient of the offset at each place, ``(k, h w)``.

    Returns:
        The gradients, in the form of the parameters and of the shifts.
    """
    m, offset, scale, scale1, scale2 = folded
    width, outputs = len(w.second), len(w.last)
    grad_first, grad_raw1, grad_raw2 = grads.first, None, None
    grad_shifts: tuple[Tensor, ...] = ()
    grad_bias1, grad_bias2 = grads.add1, grads.add2
    if shifts:
        grad_shifts = (grads.add1[:, 0], grads.add2[:, 0])
        grad_bias1, grad_bias2 = (g.sum(0) for g in grad_shifts)
    through = grads.third * m.third
    grad_third = grads.third.view(outputs, 9, width) * scale[:, None, None]
    if scale1 is not None and scale2 is not None:
        by_scale = (grads.first * m.first).sum(1) + grad_bias1 * (w.bias1 * scale1)
        grad_raw1 = factor * by_scale
        grad_first, grad_bias1 = grads.first * scale1[:, None], grad_bias1 * scale1
        grad_third *= scale2
        grad_raw2 = factor * through.sum(0)
        if shifts:
            moved = grad_shifts[1] / scale2
            grad_raw2 -= factor * (moved * shifts[1]).sum(0)
            grad_shifts = (grad_shifts[0], moved)
    scaled = grad_offset * scale[:, None]
    by_output = through.view(outputs, -1).sum(1) + (grad_offset * offset).sum(1)
    grad_last = torch.empty_like(w.last)
    grad_last[:, :width] = grad_third.flip(1).transpose(1, 2).reshape(outputs, width, 3, 3)
    if len(edge):
        grad_last[:, width] = (scaled @ edge.t()).view(outputs, 3, 3)
    return Weights(
        first=grad_first.reshape(w.first.shape),
        bias1=grad_bias1,
        raw1=grad_raw1,
        second=grads.second,
        bias2=grad_bias2,
        raw2=grad_raw2,
        last=grad_last,
        bias=scaled.sum(1),
        raw=factor * by_output,
    ), grad_shifts
