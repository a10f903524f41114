"""Tables of known laws."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest

from lambent.estimators import fitting
from lambent.estimators.rules import Plan, plan

Array = npt.NDArray[np.float64]


@pytest.fixture
def normal_rows() -> Array:
    """80 rows of a normal law, too few to train on."""
    draw = np.random.default_rng(0)
    return draw.normal(size=(80, 3)) @ draw.normal(size=(3, 3)) + [1.0, -2.0, 30.0]


@pytest.fixture
def two_humps() -> Array:
    """400 rows of two normal laws far apart."""
    draw = np.random.default_rng(0)
    side = draw.integers(2, size=(400, 1))
    return np.hstack((4.0 * side, 0 * side)) + draw.normal(size=(400, 2))


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fits take few steps."""

    def short(rows: int, columns: int, context: int | None = None) -> Plan:
        sizes = plan(rows, columns, context)
        return replace(sizes, training=replace(sizes.training, steps=30, check_every=10))

    monkeypatch.setattr(fitting, "plan", short)
