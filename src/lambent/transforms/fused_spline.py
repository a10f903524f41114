"""Rational-quadratic splines as one step of autograd, with the way back written out.

Events lie along the last axis, parameters before it: every operation runs over long rows, only the
bin a number lies in is worked out, and the way back reads what the way there found.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from lambent.numerics import Piece, piece_vjp

Plain = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]


@dataclass(frozen=True)
class Bins:
    """How ``3 K - 1`` raw numbers become a spline."""

    count: int
    """``K``."""
    bound: float
    """The splines bend from minus this to this."""
    least: tuple[float, float]
    """Smallest width and height, as a part of all."""
    min_slope: float
    """Smallest slope at a knot."""
    shift: float
    """What is added to a raw slope."""


@dataclass(frozen=True)
class _Found:
    """The bin that each number lies in, and how it follows from the parameters."""

    parts: Tensor
    """Softmax of raw widths and heights, ``(m, 2, K, n)``."""
    below: Tensor
    """1 where a bin lies left of the number's, else 0; but for the last bin, ``(m, K - 1, n)``."""
    index: Tensor
    """The bin, ``(m, n)``."""
    slopes: Tensor
    """What the softplus reads at its two knots, ``(m, 2, n)``."""
    piece: Piece


def fused_spline(
    value: Tensor, params: Tensor, bins: Bins, plain: Plain, *, inverse: bool
) -> tuple[Tensor, Tensor]:
    """What the plain formulas give, faster.

    Args:
        value: Numbers, ``(b, *)``.
        params: ``(b, *, 3 K - 1)``.
        bins: How they become splines.
        plain: The plain formulas, from which second derivatives are taken.
        inverse: Whether the value is one the spline put out.

    Returns:
        The value and the log of the derivative of the direction taken, both ``(b, *)``.
    """
    axis = 1 if inverse else 0  # of the knots, that the values lie along
    result: tuple[Tensor, Tensor] = _Spline.apply(value, params, bins, plain, axis)  # type: ignore[no-untyped-call]
    return result


def _rows(values: Tensor, params: Tensor) -> tuple[Tensor, Tensor]:
    """With the longest axis last, ``(m, n)`` and ``(m, k, n)``: that of places, or of events."""
    if values.ndim > 2:
        return _turned(values), params.flatten(2, -2).movedim(-1, 2).flatten(0, 1)
    if values.ndim == 1:
        return _turned(values), params.T[None]
    return _turned(values), params.flatten(1).T.contiguous().unflatten(0, params.shape[1:])


def _turned(values: Tensor) -> Tensor:
    """Values ``(b, *)`` as ``(m, n)``."""
    if values.ndim > 2:
        return values.flatten(2).flatten(0, 1)
    return values[None] if values.ndim == 1 else values.T


def _unrow(values: Tensor, like: Tensor) -> Tensor:
    """The way back of values ``(m, n)``."""
    if like.ndim > 2:
        return values.reshape(like.shape)
    return values[0] if like.ndim == 1 else values.T


def _unrow_params(params: Tensor, like: Tensor) -> Tensor:
    """The way back of parameters ``(m, k, n)``."""
    if like.ndim > 3:
        b, c, *places, k = like.shape
        return params.reshape(b, c, k, *places).movedim(2, -1)
    return params[0].T if like.ndim == 2 else params.permute(2, 0, 1)


def _find(value: Tensor, params: Tensor, bins: Bins, axis: int) -> _Found:
    """Find the bins of numbers between minus the bound and the bound along an axis, 0 or 1."""
    count, bound = bins.count, bins.bound
    sizes = params[:, : 2 * count].unflatten(1, (2, count))
    parts = (sizes - sizes.amax(2, keepdim=True)).exp_()
    parts /= parts.sum(2, keepdim=True)
    knots = parts.new_empty(parts.shape[0], 2, count + 1, parts.shape[3])
    knots[:, :, 0], knots[:, :, -1] = -bound, bound
    inner = knots[:, :, 1:-1]
    torch.cumsum(parts[:, :, :-1], 2, out=inner)
    places = torch.arange(1, count, dtype=parts.dtype, device=parts.device)[:, None]
    for i, least in enumerate(bins.least):
        along = inner[:, i].mul_(2 * bound * (1 - least * count))
        along += places * (2 * bound * least) - bound
    below = (value[:, None] >= knots[:, axis, 1:-1]).to(value.dtype)
    index = below.sum(1).long()
    at = index[:, None, None].expand(-1, 2, -1, -1)
    low = knots.gather(2, at)
    size = knots.gather(2, at + 1) - low
    ends = torch.stack((index - 1, index), 1)
    slopes = params[:, 2 * count :].gather(1, ends.clamp(0, count - 2)) + bins.shift
    slope = (F.softplus(slopes) + bins.min_slope).masked_fill_(_outer(ends, count), 1.0)
    piece = Piece(*low[:, :, 0].unbind(1), *size[:, :, 0].unbind(1), *slope.unbind(1))
    return _Found(parts, below, index, slopes, piece)


def _outer(ends: Tensor, count: int) -> Tensor:
    """Which knots are the first or the last, whose slope is fixed."""
    return (ends < 0) | (ends == count - 1)


_REST = (None, None, None)  # no gradients of what are no tensors


class _Spline(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, value: Tensor, params: Tensor, bins: Bins, plain: Plain, axis: int
    ) -> tuple[Tensor, Tensor]:
        rows, raw = _rows(value, params)
        outside = rows.abs() > bins.bound
        near = rows.masked_fill(outside, -bins.bound)
        found = _find(near, raw, bins, axis)
        part = found.piece.part_of(near) if axis else found.piece.part(near)
        result = found.piece.x + part * found.piece.width if axis else found.piece.value(part)
        log_derivative = found.piece.log_derivative(part).masked_fill_(outside, 0.0)
        result = torch.where(outside, rows, result)
        ctx.bins, ctx.plain, ctx.axis = bins, plain, axis
        whole = (found.parts, found.below, found.index, found.slopes)
        ctx.save_for_backward(value, params, outside, part, *whole, *found.piece)
        if axis:
            log_derivative = -log_derivative
        return _unrow(result, value), _unrow(log_derivative, value)

    @staticmethod
    def backward(ctx: Any, grad: Tensor, grad_log: Tensor) -> Any:
        value, params, outside, part, parts, below, index, slopes, *piece = ctx.saved_tensors
        if torch.is_grad_enabled():  # a second derivative is wanted
            leaves = [t for t in (value, params) if t.requires_grad]
            again = ctx.plain(value, params)
            given = (grad, grad_log)
            made = iter(torch.autograd.grad(again, leaves, given, create_graph=True))
            return *(next(made) if t.requires_grad else None for t in (value, params)), *_REST
        bin_ = _Found(parts, below, index, slopes, Piece(*piece))
        grad, grad_log = _turned(grad), _turned(grad_log)
        inner, inner_log = grad.masked_fill(outside, 0.0), grad_log.masked_fill(outside, 0.0)
        if ctx.axis:  # x is where the spline is y, so dx = (dy - what the parameters do) / y'
            inner = inner - inner_log * bin_.piece.log_slope(part)
            to_value = inner / bin_.piece.log_derivative(part).exp()
            _, to_piece = piece_vjp(bin_.piece, part, -to_value, -inner_log)
        else:
            to_value, to_piece = piece_vjp(bin_.piece, part, inner, inner_log)
        grad_value = _unrow(torch.where(outside, grad, to_value), value)
        grad_params = None
        if ctx.needs_input_grad[1]:
            grad_params = _unrow_params(_to_raw(to_piece, bin_, ctx.bins), params)
        return grad_value, grad_params, *_REST


def _to_raw(grads: Piece, found: _Found, bins: Bins) -> Tensor:
    """From the gradients of where a bin lies, those of the raw parameters."""
    count = bins.count
    m, _, _, n = found.parts.shape
    raw = found.parts.new_empty(m, 3 * count - 1, n)
    at = found.index[:, None]
    for i, (start, size) in enumerate(((grads.x, grads.width), (grads.y, grads.height))):
        parts = found.parts[:, i]
        step = 2 * bins.bound * (1 - bins.least[i] * count)
        before = (parts[:, :-1] * found.below).sum(1)
        own = parts.gather(1, at)[:, 0]
        start, size = step * start, step * size
        mean = before * start + own * size
        to_sizes = raw[:, i * count : (i + 1) * count]
        torch.addcmul(-mean[:, None], found.below, start[:, None], out=to_sizes[:, :-1])
        to_sizes[:, -1] = -mean
        to_sizes.scatter_add_(1, at, size[:, None])
        to_sizes *= parts
    ends = torch.stack((found.index - 1, found.index), 1)
    slope = torch.stack((grads.slope, grads.next_slope), 1) * torch.sigmoid(found.slopes)
    slope.masked_fill_(_outer(ends, count), 0.0)
    raw[:, 2 * count :].zero_().scatter_add_(1, ends.clamp_(0, count - 2), slope)
    return raw
