"""GAS: chemical sensors in mixtures of ethylene and carbon monoxide."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from lambent.data.published.frame import read_frame
from lambent.data.published.splits import Rows, Splits, parted_in_order, standardised

DROPPED = ("Meth", "Eth", "Time")
"""Columns of the published frame that are no sensor's."""

CORRELATION = 0.98
"""Of two columns that are correlated above this, the first is left out."""


def load_gas(file: Path) -> Splits:
    """Load GAS as Papamakarios et al. (2017) prepare it.

    Of the sensors, the first one correlated above 0.98 with another is left out, over and over.
    Columns are standardised by mean and deviation of all rows (n - 1 in the deviation), the test
    rows included. Rows stay in their order: shuffled, the test rows would lie between training
    rows, and figures would be better than the published ones.

    Args:
        file: ``gas/ethylene_CO.pickle``, or ``gas/ethylene_CO.txt``, the original set. That has all
            rows, while the released reader has a line, commented out, that made the pickle a random
            quarter of them; so its figures need not compare.

    Returns:
        The parts, of 8 columns.

    Raises:
        ValueError: If the file is not such a table.
    """
    rows = _text(file) if file.suffix == ".txt" else _sensors(file)
    rows = rows[:, uncorrelated(rows)]
    return parted_in_order("gas", standardised(rows, rows, 1))


def uncorrelated(rows: Rows) -> list[int]:
    """Leave out the first column correlated above 0.98 with another, until there is none.

    Args:
        rows: The rows, (n, d).

    Returns:
        The numbers of the columns that stay.
    """
    with np.errstate(invalid="ignore"):  # constant columns: correlated with none, refused later
        above = np.corrcoef(rows, rowvar=False) > CORRELATION
    above = np.atleast_2d(above)
    np.fill_diagonal(above, val=False)
    left = list(range(rows.shape[1]))
    while (found := above[np.ix_(left, left)].any(axis=1)).any():
        del left[int(found.argmax())]
    return left


def _sensors(file: Path) -> Rows:
    """The columns of the published pickle but for those that are no sensor's."""
    columns, rows = read_frame(file)
    missing = [name for name in DROPPED if name not in columns]
    if missing:
        raise ValueError(
            f"root: expected columns {', '.join(DROPPED)} in {str(file)!r}, "
            f"given none called {', '.join(missing)}"
        )
    return rows[:, [i for i, name in enumerate(columns) if name not in DROPPED]]


def _text(file: Path) -> Rows:
    """The sensors of the original set: its first three columns are time and concentrations."""
    try:
        rows = np.loadtxt(file, skiprows=1, ndmin=2)
    except (ValueError, OSError) as error:
        raise ValueError(f"root: expected rows of numbers in {str(file)!r}: {error}") from error
    if rows.shape[1] <= len(DROPPED):
        raise ValueError(f"root: expected sensors in {str(file)!r}, given {rows.shape[1]} columns")
    sensors: Rows = rows[:, len(DROPPED) :]
    return sensors
