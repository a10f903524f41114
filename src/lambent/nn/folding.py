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

    @property
    def border(self) -> bool:
        """Whether the convolutions see the border."""
        return self.last.shape[1] > len(self.second)


class Folded(NamedTuple):
    """The network as matrices, and what the way back needs."""

    matrices: Matrices
    scale: Tensor
    """Of what the network puts out, ``(k,)``."""
    turned: Tensor
    """What turns the nine taps of the last layer around and scales them, ``(k, 9, 9)``."""
    scale1: Tensor | None
    """Of the first norm, ``(width,)``."""
    scale2: Tensor | None
    """Of the second."""


def fold(
    w: Weights, factor: float, border: Tensor | None, shifts: tuple[Tensor, ...]
) -> tuple[Folded, Tensor]:
    r"""Fold norms, scales, first bias and border into the matrices.

    With ``s = exp(factor raw)`` and positive: ``relu((W x + b) s + t) = relu(s W x + s b + t)`` for
    the first layer, and ``= s relu(W x + b + t / s)`` for the second, whose ``s`` goes on to the
    last.

    Args:
        w: The parameters.
        factor: Factor of every raw log-scale.
        border: What a window sees of the border, ``(9, h w)``, where the network sees it.
        shifts: What the context adds to either hidden layer, each ``(b, width)``, or nothing.

    Returns:
        The matrices, and what the last layer adds, ``(k, h w)`` or ``(k, 1)``.
    """
    scale = (factor * w.raw).exp()
    turned = torch.eye(9, dtype=scale.dtype, device=scale.device).flip(0) * scale[:, None, None]
    width = len(w.second)
    first, add1, add2 = torch.cat((w.first.flatten(1), w.bias1[:, None]), 1), None, w.bias2
    last = w.last.flatten(2)[:, :width].transpose(1, 2)
    third = torch.bmm(turned, last)  # each tap seen from the far side
    scale1 = scale2 = None
    if w.raw1 is not None and w.raw2 is not None:
        scale1, scale2 = (factor * w.raw1).exp(), (factor * w.raw2).exp()
        first *= scale1[:, None]
        third *= scale2
    if shifts:
        add1 = shifts[0][:, None]
        add2 = (add2 + (shifts[1] if scale2 is None else shifts[1] / scale2))[:, None]
    offset = w.bias[:, None]
    if border is not None:
        offset = torch.addmm(offset, w.last[:, width].flatten(1), border)
    matrices = Matrices(first, add1, w.second, add2, third.flatten(0, 1))
    return Folded(matrices, scale, turned, scale1, scale2), offset * scale[:, None]


def unfold(
    w: Weights,
    folded: Folded,
    factor: float,
    border: Tensor | None,
    shifts: tuple[Tensor, ...],
    grads: Matrices,
    y: Tensor,
    grad: Tensor,
) -> tuple[Weights, tuple[Tensor, ...]]:
    """The gradients of parameters and shifts from those of the matrices: the way back of `fold`.

    Args:
        w: The parameters.
        folded: What they were folded into.
        factor: As for `fold`.
        border: As for `fold`.
        shifts: As for `fold`.
        grads: Gradients of the matrices.
        y: What the network put out, ``(k, b, h w)``.
        grad: Its gradient.

    Returns:
        The gradients, in the form of the parameters and of the shifts.
    """
    m, scale, turned, scale1, scale2 = folded
    width, outputs = len(w.second), len(w.last)
    grad_first, grad_bias2 = grads.first, grads.add2
    grad_raw1 = grad_raw2 = None
    grad_shifts: tuple[Tensor, ...] = ()
    grad_last = torch.bmm(grads.third.view(outputs, 9, width).transpose(1, 2), turned)
    if grads.add1 is not None:
        grad_shifts = (grads.add1[:, 0], grads.add2[:, 0])
        grad_bias2 = grad_shifts[1].sum(0)
    if scale1 is not None and scale2 is not None:
        grad_raw1 = factor * (grads.first * m.first).sum(1)
        grad_first = grads.first * scale1[:, None]
        grad_last *= scale2[:, None]
        grad_raw2 = factor * (grads.third * m.third).sum(0)
        if grad_shifts:
            moved = grad_shifts[1] / scale2
            grad_raw2 -= factor * (moved * shifts[1]).sum(0)
            grad_shifts = (grad_shifts[0], moved)
    scaled = grad.sum(1) * scale[:, None]
    if border is not None:
        grad_last = torch.cat((grad_last, (scaled @ border.t())[:, None]), 1)
    return Weights(
        first=grad_first[:, :-1].reshape(w.first.shape),
        bias1=grad_first[:, -1].clone(),  # not the whole of which it is a part
        raw1=grad_raw1,
        second=grads.second,
        bias2=grad_bias2,
        raw2=grad_raw2,
        last=grad_last.view(w.last.shape),
        bias=scaled.sum(1),
        raw=factor * (grad * y).sum((1, 2)),
    ), grad_shifts
