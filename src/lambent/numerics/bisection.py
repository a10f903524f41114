"""Roots of increasing functions of one number, by Newton's steps kept inside a bracket."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from lambent.errors import check_converged

Increasing = Callable[[Tensor], tuple[Tensor, Tensor]]
"""A function ``(...)`` to its value and the log of its derivative, both ``(...)``."""


def increasing_root(
    f: Increasing, y: Tensor, low: Tensor, high: Tensor, *, max_steps: int = 60
) -> Tensor:
    r"""The ``x`` of ``f(x) = y`` for each number, where ``f`` increases.

    Each step halves the bracket or takes Newton's step where that stays well inside, so 60 steps
    are enough for float64 whatever ``f`` is; they end as soon as no number moves. The result
    carries the gradient of the implicit function to ``y`` and to whatever ``f`` depends on,
    ``dx = (dy - df) / f'(x)``, once: not for second derivatives.

    Args:
        f: The function.
        y: Values, ``(...)``.
        low: Where ``f`` is at most ``y``, ``(...)``.
        high: Where it is at least ``y``, ``(...)``.
        max_steps: Most steps.

    Returns:
        ``x``, ``(...)``.

    Raises:
        NotInvertibleError: If a bracket is left wider than rounding explains, or ``y`` is not a
            number.
    """
    with torch.no_grad():
        x = _search(f, y, low, high, max_steps)
    if not torch.is_grad_enabled():
        return x
    value, log_slope = f(x)
    return x - (value - y) * (-log_slope.detach()).exp()


def _search(f: Increasing, y: Tensor, low: Tensor, high: Tensor, max_steps: int) -> Tensor:
    eps = torch.finfo(y.dtype).eps
    x = (low + high) / 2
    moved = high - low
    for step in range(max_steps):
        value, log_slope = f(x)
        over = value > y
        high = torch.where(over, x, high)
        low = torch.where(over, low, x)
        newton = x - (value - y) * (-log_slope).exp()
        # Every third step halves the bracket, which Newton's may leave wide on one side.
        usable = (newton > low) & (newton < high) & (step % 3 != 2)
        near = (newton - x).abs() <= 4 * eps * (1 + x.abs())
        found = torch.where(usable | near, newton.clamp(low, high), (low + high) / 2)
        moved = (found - x).abs()
        x = found
        if not torch.compiler.is_compiling() and bool((near | (moved == 0)).all()):
            moved = torch.zeros_like(moved)
            break
    slack = moved / (1 + x.abs())
    check_converged(slack, 1e3 * eps, "the root of an increasing function")
    return x
