"""Monotone rational-quadratic splines, the identity outside an interval."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor


class Knots(NamedTuple):
    """Where splines of ``K`` bins pass, left to right, and how steeply; each ``(..., K + 1)``.

    ``x`` and ``y`` increase, and agree at both ends; slopes are positive, and 1 at both ends, so
    that the derivative does not jump to the identity's outside.
    """

    x: Tensor
    y: Tensor
    slope: Tensor


class _Bin(NamedTuple):
    """The bin that each number lies in, each ``(...)``."""

    x: Tensor
    y: Tensor
    width: Tensor
    height: Tensor
    slope: Tensor
    next_slope: Tensor

    @property
    def secant(self) -> Tensor:
        return self.height / self.width

    @property
    def bend(self) -> Tensor:
        return self.slope + self.next_slope - 2 * self.secant

    def log_derivative(self, part: Tensor) -> Tensor:
        """``ln dy/dx`` at ``part`` of the bin's width, 0 to 1; the paper's equation 5."""
        product = part * (1 - part)
        slopes = (
            self.next_slope * part.square()
            + 2 * self.secant * product
            + self.slope * (1 - part).square()
        )
        below = self.secant + self.bend * product
        return 2 * self.secant.log() + slopes.log() - 2 * below.log()


def _find(value: Tensor, along: Tensor, knots: Knots) -> _Bin:
    """The bins of values within the outermost knots; ``along`` is the knots' ``x`` or ``y``."""
    inner = along[..., 1:-1].detach()
    index = (value.detach()[..., None] >= inner).sum(-1, keepdim=True)

    def at(knot: Tensor, offset: int) -> Tensor:
        return knot.gather(-1, index + offset)[..., 0]

    x, y = at(knots.x, 0), at(knots.y, 0)
    width, height = at(knots.x, 1) - x, at(knots.y, 1) - y
    return _Bin(x, y, width, height, at(knots.slope, 0), at(knots.slope, 1))


def _within(value: Tensor, along: Tensor) -> tuple[Tensor, Tensor]:
    """Whether values lie between the outermost knots, and the nearest that does."""
    low, high = along[..., 0], along[..., -1]
    inside = (value >= low) & (value <= high)
    return inside, torch.where(inside, value, low.detach())


def spline(x: Tensor, knots: Knots) -> tuple[Tensor, Tensor]:
    r"""The spline of each number, and the log of its derivative.

    With ``p = (x - x_k) / w``, ``s = h / w`` and slopes ``d, d'`` in the bin of width ``w`` and
    height ``h``: ``y = y_k + h (s p^2 + d p (1 - p)) / (s + (d + d' - 2 s) p (1 - p))``.

    Args:
        x: Numbers, ``(...)``.
        knots: One spline for each.

    Returns:
        ``y`` and ``ln dy/dx``, both ``(...)``; ``x`` and 0 outside the knots.

    References:
        C. Durkan et al., "Neural Spline Flows", 2019, arXiv:1906.04032, eq. 4 and 5; after
        J. Gregory and R. Delbourgo, "Piecewise Rational Quadratic Interpolation", 1982.
    """
    inside, near = _within(x, knots.x)
    cell = _find(near, knots.x, knots)
    part = (near - cell.x) / cell.width
    product = part * (1 - part)
    above = cell.height * (cell.secant * part.square() + cell.slope * product)
    y = cell.y + above / (cell.secant + cell.bend * product)
    return torch.where(inside, y, x), torch.where(inside, cell.log_derivative(part), 0.0)


def spline_inverse(y: Tensor, knots: Knots) -> tuple[Tensor, Tensor]:
    r"""The number whose spline is ``y``, and the log of the inverse's derivative.

    ``p`` solves ``a p^2 + b p + c = 0``, as ``2 c / (-b - sqrt(b^2 - 4 a c))``: nothing cancels,
    also where ``a`` is small.

    Args:
        y: Numbers, ``(...)``.
        knots: One spline for each.

    Returns:
        ``x`` and ``ln dx/dy``, both ``(...)``; ``y`` and 0 outside the knots.

    References:
        C. Durkan et al., "Neural Spline Flows", 2019, arXiv:1906.04032, eq. 6 to 8.
    """
    inside, near = _within(y, knots.y)
    cell = _find(near, knots.y, knots)
    rise = near - cell.y
    a = cell.height * (cell.secant - cell.slope) + rise * cell.bend
    b = cell.height * cell.slope - rise * cell.bend
    c = -cell.secant * rise
    # The square of h dy/dx times the denominator: positive, but for rounding.
    square = (b.square() - 4 * a * c).clamp_min(torch.finfo(y.dtype).tiny)
    part = 2 * c / (-b - square.sqrt())
    x = cell.x + part * cell.width
    return torch.where(inside, x, y), torch.where(inside, -cell.log_derivative(part), 0.0)
