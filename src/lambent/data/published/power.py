"""POWER: the electric power of one household, minute by minute."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from lambent.data.published.array import read_array
from lambent.data.published.splits import Rows, Splits, parted_in_order, standardised, tail

COLUMNS = 8
"""Active power, reactive power, voltage, intensity, three sub-meterings, the time of day."""

INTENSITY, REACTIVE_POWER = 3, 1
"""Columns that are left out."""


def load_power(file: Path) -> Splits:
    """Load POWER as Papamakarios et al. (2017) prepare it.

    Rows are shuffled, two columns left out, and each number gets uniform noise as wide as the last
    digit it was recorded with; the time has none. Shuffle and noise come from one generator,
    ``RandomState(42)``, whose stream NumPy keeps for ever; the voltage's noise is drawn before the
    active power's, then the three sub-meterings' together. Rows are standardised by mean and
    deviation of training and validation rows together.

    Args:
        file: ``power/data.npy``.

    Returns:
        The parts, of 6 columns.

    Raises:
        ValueError: If the file is not such an array.
    """
    rows = read_array(file)
    if rows.shape[1] != COLUMNS:
        raise ValueError(
            f"root: expected {COLUMNS} columns in {str(file)!r}, given {rows.shape[1]}"
        )
    draw = np.random.RandomState(42)
    draw.shuffle(rows)
    rows = np.delete(rows, (INTENSITY, REACTIVE_POWER), axis=1)
    rows = rows + _noise(draw, len(rows))
    learned, _ = tail(rows)
    return parted_in_order("power", standardised(rows, learned, 0))


def _noise(draw: np.random.RandomState, count: int) -> Rows:
    """What is added to the six columns, in the order in which the published code draws it."""
    voltage = 0.01 * draw.rand(count, 1)
    active_power = 0.001 * draw.rand(count, 1)
    sub_meterings = draw.rand(count, 3)
    return np.hstack((active_power, voltage, sub_meterings, np.zeros((count, 1))))
