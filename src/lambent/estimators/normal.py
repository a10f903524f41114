"""The normal law that a fit starts from: a mean linear in the context, a covariance, shrunk."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

_FLOOR = 1e-6
"""The least shrinkage: columns that are functions of others still have a factor."""
_SHRINKAGES = (_FLOOR, 1e-5, 1e-4, 1e-3, 3e-3, 1e-2, 3e-2, 0.1, 0.3, 1.0)
_FOLDS = 5
_LOOKED_AT = 2_000  # rows of a fold on which shrinkages are compared
_CONSTANT = 1e-3
"""Deviation given to a column that never changes, as a share of 1 + abs(value)."""


@dataclass(frozen=True)
class Normal:
    r"""``x | c ~ N(mean + slope c, factor factor')``, in double precision."""

    mean: Tensor
    """``(d,)``."""
    slope: Tensor
    """``(d, k)``; k is 0 without a context."""
    factor: Tensor
    """Cholesky factor of the covariance, ``(d, d)``."""

    def log_prob(self, x: Tensor, context: Tensor) -> Tensor:
        """Nats of each row.

        Args:
            x: ``(n, d)``.
            context: ``(n, k)``.

        Returns:
            ``(n,)``.
        """
        z = self.standard(x, context)
        constant = x.shape[1] * math.log(2 * math.pi) / 2 + self.factor.diagonal().log().sum()
        return -z.square().sum(1) / 2 - constant

    def standard(self, x: Tensor, context: Tensor) -> Tensor:
        """Rows in the law's units, ``(n, d)``: of mean 0 and covariance 1 if they are of the law.

        Args:
            x: ``(n, d)``.
            context: ``(n, k)``.

        Returns:
            ``(n, d)``.
        """
        centred = x - self.mean - context @ self.slope.T
        z: Tensor = torch.linalg.solve_triangular(self.factor, centred.T, upper=False)
        return z.T.contiguous()


def scales(x: Tensor) -> Tensor:
    """Deviation of each column; a column that never changes has a thousandth of 1 + abs(value).

    Args:
        x: ``(n, d)``.

    Returns:
        ``(d,)``.
    """
    mean = x.mean(0)
    deviation = (x - mean).square().mean(0).sqrt()
    level = 1 + mean.abs()
    return torch.where(deviation <= 1e-9 * level, _CONSTANT * level, deviation)


@dataclass(frozen=True)
class Moments:
    """Means, scales and correlations of rows and their contexts side by side."""

    mean: Tensor
    scale: Tensor
    correlation: Tensor
    columns: int
    """Of the rows."""


def moments(x: Tensor, context: Tensor) -> Moments:
    """The moments of rows and their contexts.

    Args:
        x: ``(n, d)``.
        context: ``(n, k)``.

    Returns:
        The moments; a column that never changes has a correlation of 1 with itself.
    """
    both = torch.cat((x, context), 1)
    mean, scale = both.mean(0), scales(both)
    z = (both - mean) / scale
    correlation = z.T @ z / len(z)
    correlation.diagonal()[:] = 1.0
    return Moments(mean, scale, correlation, x.shape[1])


def normal(found: Moments, shrinkage: float) -> Normal:
    r"""The law of rows given contexts whose joint correlations are ``(1 - a) R + a I``.

    Args:
        found: Of the rows.
        shrinkage: ``a``.

    Returns:
        The law.
    """
    d, mean, scale = found.columns, found.mean, found.scale
    joint = (1 - shrinkage) * found.correlation
    joint.diagonal().add_(shrinkage)
    own, across, given = joint[:d, :d], joint[:d, d:], joint[d:, d:]
    slope = torch.linalg.solve(given, across.T).T
    covariance = own - slope @ across.T
    factor = torch.linalg.cholesky((covariance + covariance.T) / 2) * scale[:d, None]
    slope = slope * scale[:d, None] / scale[d:]
    return Normal(mean[:d] - slope @ mean[d:], slope, factor)


def best_shrinkage(x: Tensor, context: Tensor) -> float:
    """The shrinkage whose law gives rows that it has not seen the highest density.

    Where there are many rows to each column it is the least.

    Args:
        x: ``(n, d)``, in a random order.
        context: ``(n, k)``.

    Returns:
        The shrinkage.
    """
    rows, columns = len(x), x.shape[1] + context.shape[1]
    if rows > 200 * columns:
        return _FLOOR
    folds = min(_FOLDS, rows)
    totals = torch.zeros(len(_SHRINKAGES), dtype=x.dtype)
    fold = torch.arange(rows) % folds
    for k in range(folds):
        held = torch.nonzero(fold == k)[:_LOOKED_AT, 0]
        found = moments(x[fold != k], context[fold != k])
        for i, shrinkage in enumerate(_SHRINKAGES):
            law = normal(found, shrinkage)
            totals[i] += law.log_prob(x[held], context[held]).sum()
    return _SHRINKAGES[int(totals.argmax())]
