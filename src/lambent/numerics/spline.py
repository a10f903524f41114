"""Monotone rational-quadratic splines, the identity outside an interval."""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from lambent.numerics.rational_quadratic import Piece


class Knots(NamedTuple):
    """Where splines of ``K`` bins pass, left to right, and how steeply; each ``(..., K + 1)``.

    ``x`` and ``y`` increase, and agree at both ends. Slopes are positive; where the identity is to
    go on outside they are 1 at both ends, so that the derivative does not jump.
    """

    x: Tensor
    y: Tensor
    slope: Tensor


def knot_places(raw: Tensor, bound: float, least: float) -> Tensor:
    """The knots between bins of raw sizes, from minus a bound to exactly the bound.

    Args:
        raw: Free numbers, ``(..., K)``; the sizes are their softmax.
        bound: Where the last knot is.
        least: Smallest size of a bin, as a part of all.

    Returns:
        The knots, ``(..., K + 1)``.
    """
    parts = least + (1 - least * raw.shape[-1]) * raw.softmax(-1)
    inner = 2 * bound * parts[..., :-1].cumsum(-1) - bound
    return F.pad(F.pad(inner, (1, 0), value=-bound), (0, 1), value=bound)


def _find(value: Tensor, along: Tensor, knots: Knots) -> Piece:
    """The bins of values within the outermost knots; ``along`` is the knots' ``x`` or ``y``."""
    inner = along[..., 1:-1].detach()
    index = (value.detach()[..., None] >= inner).sum(-1, keepdim=True)

    def at(knot: Tensor, offset: int) -> Tensor:
        return knot.gather(-1, index + offset)[..., 0]

    x, y = at(knots.x, 0), at(knots.y, 0)
    width, height = at(knots.x, 1) - x, at(knots.y, 1) - y
    return Piece(x, y, width, height, at(knots.slope, 0), at(knots.slope, 1))


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
    part = cell.part(near)
    return torch.where(inside, cell.value(part), x), torch.where(
        inside, cell.log_derivative(part), 0.0
    )


def spline_inverse(y: Tensor, knots: Knots) -> tuple[Tensor, Tensor]:
    r"""The number whose spline is ``y``, and the log of the inverse's derivative.

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
    part = cell.part_of(near)
    x = cell.x + part * cell.width
    return torch.where(inside, x, y), torch.where(inside, -cell.log_derivative(part), 0.0)
