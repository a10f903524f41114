"""The law of normalisation, by brute force on a grid: for densities of one or two dimensions."""

from __future__ import annotations

import torch
from torch import Tensor

from lambent.core.distribution import Distribution, repeat_context
from lambent.core.seed import seeded
from lambent.testing.law import expect
from lambent.types import Context

_CELLS = 4  # along each axis, for the comparison of draws and density


def cell_probabilities(
    distribution: Distribution,
    low: float,
    high: float,
    *,
    context: Context | None = None,
    points: int = 200,
    cells: int = _CELLS,
) -> Tensor:
    """The probability of each cell of a coarse grid, by the midpoint rule on a fine one.

    Args:
        distribution: A density with event shape ``(1,)`` or ``(2,)``, in float64.
        low: Least value on every axis.
        high: Largest value on every axis.
        context: One row, ``(1, *c)``.
        points: Fine points along each axis, a multiple of ``cells``.
        cells: Coarse cells along each axis.

    Returns:
        ``(cells,)`` or ``(cells, cells)``.
    """
    (size,) = distribution.event_shape
    step = (high - low) / points
    axis = low + step * (torch.arange(points, dtype=torch.float64) + 0.5)
    events = torch.cartesian_prod(*[axis] * size).reshape(-1, size)
    rows = repeat_context(context, len(events))
    with torch.no_grad():
        density = distribution.log_prob(events, rows).exp() * step**size
    fine = density.reshape(*[cells, points // cells] * size)
    return fine.sum(tuple(range(1, 2 * size, 2)))


def check_normalised(
    distribution: Distribution,
    low: float,
    high: float,
    *,
    context: Context | None = None,
    points: int = 200,
    tolerance: float = 1e-3,
    draws: int = 20_000,
    seed: int = 0,
) -> None:
    """Check that a density of one or two dimensions integrates to 1 and matches its draws.

    The draws are counted in 4 cells along each axis; each count must lie within five standard
    errors of what the density says.

    Args:
        distribution: A density with event shape ``(1,)`` or ``(2,)``, in float64.
        low: Least value on every axis; what lies outside must not matter.
        high: Largest value on every axis.
        context: One row, ``(1, *c)``.
        points: Points of the grid along each axis.
        tolerance: Largest deviation of the integral from 1.
        draws: How many events to draw.
        seed: Seed of the draws.

    Raises:
        AssertionError: If the integral is not 1, or the draws do not follow the density.
    """
    expected = cell_probabilities(distribution, low, high, context=context, points=points)
    total = float(expected.sum())
    expect(abs(total - 1) <= tolerance, f"the density integrates to {total:.6f}, expected 1")
    with seeded(seed):
        sample = distribution.sample(draws, context)
    inside = sample[((sample > low) & (sample < high)).all(1)]
    cell = ((inside - low) / (high - low) * _CELLS).long()
    index = sum(cell[:, i] * _CELLS ** (cell.shape[1] - 1 - i) for i in range(cell.shape[1]))
    found = torch.bincount(torch.as_tensor(index), minlength=expected.numel()) / draws
    expected = expected.flatten()
    error = 5 * (expected * (1 - expected) / draws).clamp(min=0).sqrt() + tolerance
    worst = float(((found - expected).abs() - error).max())
    expect(worst <= 0, f"draws and density differ by {worst:.3g} more than five standard errors")
