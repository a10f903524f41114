"""HEPMASS: collisions of particles."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from lambent.data.published.splits import Rows, Splits, parted, standardised, tail

TRAIN, TEST = "1000_train.csv", "1000_test.csv"
REPEATS = 5
"""How often the smallest value of a column may occur."""


def load_hepmass(folder: Path) -> Splits:
    """Load HEPMASS as Papamakarios et al. (2017) prepare it.

    Rows of label 1 are kept and the label left out, and of the test file the last column too, which
    the training file does not have. Columns are standardised by mean and deviation of all training
    rows (n - 1 in the deviation), and those that are :func:`too_repeated` are left out. The last
    tenth of the training rows is the validation rows; the test rows are a file of their own.

    Args:
        folder: ``hepmass``, with ``1000_train.csv`` and ``1000_test.csv``.

    Returns:
        The parts, of 21 columns.

    Raises:
        ValueError: If a file is missing or is not such a table.
    """
    names = _names(folder / TRAIN)
    if len(_names(folder / TEST)) != len(names) + 1:
        raise ValueError(
            f"root: expected one column more in {TEST} than the {len(names)} of {TRAIN}, "
            f"given {len(_names(folder / TEST))} in {str(folder)!r}"
        )
    learned, test = (_signal(folder / file, len(names)) for file in (TRAIN, TEST))
    learned, test = standardised(learned, learned, 1), standardised(test, learned, 1)
    keep = ~too_repeated(learned)
    train, validation = tail(learned[:, keep])
    return parted("hepmass", train, validation, test[:, keep])


def too_repeated(rows: Rows) -> npt.NDArray[np.bool_]:
    """Say of each column whether its smallest value occurs more than 5 times.

    The published code sorts the counts by value and looks at the first, so a column whose other
    values repeat stays in; the published figures are of the columns that this leaves.

    Args:
        rows: The rows, (n, d).

    Returns:
        One answer for each column, (d,).
    """
    answers: npt.NDArray[np.bool_] = (rows == rows.min(axis=0)).sum(axis=0) > REPEATS
    return answers


def _names(path: Path) -> list[str]:
    """The names of the columns in the first line."""
    try:
        with path.open() as file:
            return file.readline().split(",")
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"root: expected a CSV file, given {str(path)!r}: {error}") from error


def _signal(path: Path, columns: int) -> Rows:
    """The first columns of the rows of label 1, the label left out."""
    try:
        rows = np.loadtxt(
            path, delimiter=",", skiprows=1, usecols=range(columns), comments=None, ndmin=2
        )
    except (ValueError, OSError) as error:
        raise ValueError(f"root: expected rows of numbers in {str(path)!r}: {error}") from error
    signal: Rows = rows[rows[:, 0] == 1, 1:] if len(rows) else rows
    if not len(signal):
        raise ValueError(f"root: expected rows of label 1 in {str(path)!r}, given none")
    return signal
