"""Points that stand for a standard normal, and levels of its quantiles."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor


def normal_grid(count: int, columns: int) -> Tensor:
    """Points spread as a standard normal, the same at every call, symmetric about 0.

    In one column they are the normal's quantiles at equal steps; in several, half of them are of
    a Sobol sequence and the others their mirror images.

    Args:
        count: How many, even.
        columns: Numbers of each.

    Returns:
        In double precision, ``(count, columns)``.
    """
    if columns == 1:
        levels = (torch.arange(count, dtype=torch.float64) + 0.5) / count
        quantiles: Tensor = torch.special.ndtri(levels)
        return quantiles[:, None]
    engine = torch.quasirandom.SobolEngine(columns, scramble=True, seed=0)
    half = torch.special.ndtri(engine.draw(count // 2, dtype=torch.float64).clamp(1e-6, 1 - 1e-6))
    return torch.cat((half, -half))


def levels_of(values: Any, name: str) -> Tensor:
    """Levels of quantiles, or shares, checked.

    Args:
        values: Numbers.
        name: Of the argument.

    Returns:
        In double precision, ``(k,)``.

    Raises:
        ValueError: If they are not on one axis, or not above 0 and below 1.
    """
    found = np.asarray(values, dtype=np.float64)
    if found.ndim != 1 or not ((found > 0) & (found < 1)).all():
        raise ValueError(f"{name}: expected numbers above 0 and below 1, got {values}")
    return torch.tensor(found)
