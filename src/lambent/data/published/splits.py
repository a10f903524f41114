"""The three parts of a published table, and how most of the tables are parted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from lambent.data.columns import ColumnFacts
from lambent.data.table import Table

Rows = npt.NDArray[np.float64]
"""Rows of numbers, (n, d)."""


@dataclass(frozen=True)
class Splits:
    """A table in three parts, prepared as published."""

    train: Table
    """Rows to learn from."""
    validation: Table
    """Rows to stop by."""
    test: Table
    """Rows that the published log-likelihoods are means over."""

    @property
    def features(self) -> int:
        """The number of columns."""
        return self.train.rows.shape[1]


def tail(rows: Rows) -> tuple[Rows, Rows]:
    """Cut the last tenth off, rounded down.

    Args:
        rows: The rows.

    Returns:
        What comes before the last tenth, and the last tenth.

    Raises:
        ValueError: If there are fewer than ten rows.
    """
    count = len(rows) // 10
    if count == 0:
        raise ValueError(f"root: expected at least 10 rows to part, given {len(rows)}")
    return rows[:-count], rows[-count:]


def standardised(rows: Rows, of: Rows, ddof: int) -> Rows:
    """Take the mean off each column and divide by its standard deviation.

    Args:
        rows: The rows.
        of: The rows whose mean and deviation they are.
        ddof: What the number of rows is lessened by in the deviation: 0 where the published code
            has NumPy's, 1 where it has that of pandas.

    Returns:
        The rows in those units.

    Raises:
        ValueError: If a column of ``of`` is constant.
    """
    deviation = of.std(axis=0, ddof=ddof)
    if not (deviation > 0).all():
        constant = ", ".join(str(i) for i in np.flatnonzero(~(deviation > 0)))
        raise ValueError(f"root: expected columns that vary, given constant columns {constant}")
    scaled: Rows = (rows - of.mean(axis=0)) / deviation
    return scaled


def parted(name: str, train: Rows, validation: Rows, test: Rows) -> Splits:
    """The parts as tables in float32, which is what the published figures are of.

    Args:
        name: Of the table.
        train: Training rows.
        validation: Validation rows.
        test: Test rows.

    Returns:
        The three parts.

    Raises:
        ValueError: If a number is missing or infinite.
    """
    columns = tuple(ColumnFacts(name=f"x{i}", kind="real") for i in range(train.shape[1]))

    def part(rows: Rows) -> Table:
        wrong = int((~np.isfinite(rows)).sum())
        if wrong:
            raise ValueError(f"root: expected numbers alone, given {wrong} that are not, of {name}")
        return Table(torch.from_numpy(rows.astype(np.float32)), columns, name=name)

    return Splits(part(train), part(validation), part(test))


def parted_in_order(name: str, rows: Rows) -> Splits:
    """The last tenth as test rows, and the last tenth of the rest as validation rows.

    Args:
        name: Of the table.
        rows: All rows, in the order that is published.

    Returns:
        The three parts.
    """
    learned, test = tail(rows)
    train, validation = tail(learned)
    return parted(name, train, validation, test)
