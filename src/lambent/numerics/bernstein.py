"""Monotone Bernstein polynomials on an interval, straight lines outside."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from lambent.numerics.bisection import increasing_root


def _basis(degree: int, t: Tensor) -> Tensor:
    """``C(n, i) t^i (1 - t)^(n - i)`` for ``i = 0 ... n``, ``(..., n + 1)``."""
    powers = torch.arange(degree + 1, device=t.device, dtype=t.dtype)
    ways = torch.tensor(
        [math.comb(degree, i) for i in range(degree + 1)], device=t.device, dtype=t.dtype
    )
    t = t[..., None]
    return ways * t.pow(powers) * (1 - t).pow(degree - powers)


def _inside(x: Tensor, heights: Tensor, bound: float) -> tuple[Tensor, Tensor]:
    """The polynomial of numbers within the bound, and the log of its derivative."""
    degree = heights.shape[-1] - 1
    t = (x + bound) / (2 * bound)
    value = (heights * _basis(degree, t)).sum(-1)
    slope = degree / (2 * bound) * (heights.diff(dim=-1) * _basis(degree - 1, t)).sum(-1)
    return value, slope.log()


def _end_slopes(heights: Tensor, bound: float) -> tuple[Tensor, Tensor]:
    factor = (heights.shape[-1] - 1) / (2 * bound)
    return (
        factor * (heights[..., 1] - heights[..., 0]),
        factor * (heights[..., -1] - heights[..., -2]),
    )


def bernstein(x: Tensor, heights: Tensor, bound: float) -> tuple[Tensor, Tensor]:
    r"""The polynomial of each number, continued by its tangents, and the log of its derivative.

    ``y = sum_i h_i C(n, i) t^i (1 - t)^(n - i)`` with ``t = (x + B) / 2 B``; it increases where
    the heights do, and passes the first and the last of them at the bounds.

    Args:
        x: Numbers, ``(...)``.
        heights: Increasing ``h``, ``(..., n + 1)``.
        bound: ``B``.

    Returns:
        ``y`` and ``ln dy/dx``, both ``(...)``.

    References:
        S. Ramasinghe et al., "Robust normalizing flows using Bernstein-type polynomials", 2021,
        arXiv:2102.03509, eq. 2 and 3.
    """
    low, high = x < -bound, x > bound
    near = torch.where(low | high, torch.zeros_like(x), x)
    value, log_slope = _inside(near, heights, bound)
    first, last = _end_slopes(heights, bound)
    value = torch.where(low, heights[..., 0] + (x + bound) * first, value)
    value = torch.where(high, heights[..., -1] + (x - bound) * last, value)
    log_slope = torch.where(low, first.log(), torch.where(high, last.log(), log_slope))
    return value, log_slope


def bernstein_inverse(y: Tensor, heights: Tensor, bound: float) -> tuple[Tensor, Tensor]:
    """The number whose :func:`bernstein` is ``y``, and the log of the inverse's derivative.

    Args:
        y: Numbers, ``(...)``.
        heights: Increasing ``h``, ``(..., n + 1)``.
        bound: ``B``.

    Returns:
        ``x`` and ``ln dx/dy``, both ``(...)``.
    """
    first, last = _end_slopes(heights, bound)
    low, high = y < heights[..., 0], y > heights[..., -1]
    middle = (heights[..., 0] + heights[..., -1]) / 2
    near = torch.where(low | high, middle, y)

    def f(x: Tensor) -> tuple[Tensor, Tensor]:
        return _inside(x, heights, bound)

    edge = torch.full_like(y, bound)
    x = increasing_root(f, near, -edge, edge)
    x = torch.where(low, (y - heights[..., 0]) / first - bound, x)
    x = torch.where(high, (y - heights[..., -1]) / last + bound, x)
    return x, -bernstein(x, heights, bound)[1]
