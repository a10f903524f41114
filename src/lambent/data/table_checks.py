"""What a table must not have: gaps, and columns that copy others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from lambent.data.columns import ColumnFacts, Numbers


def check_whole(table: Any) -> None:
    """Raise where a cell is missing, or holds a number that is not finite.

    Args:
        table: An Arrow table.

    Raises:
        ValueError: If there is one; the message names columns and rows.
    """
    import pyarrow as pa  # type: ignore[import-untyped,unused-ignore]
    import pyarrow.compute as pc  # type: ignore[import-untyped,unused-ignore]

    gaps: dict[str, npt.NDArray[np.int64]] = {}
    for name in table.column_names:
        column = table[name]
        missing = column.is_null()
        if pa.types.is_floating(column.type):
            missing = pc.or_(
                missing, pc.invert(pc.fill_null(pc.is_finite(column), fill_value=False))
            )
        where = np.flatnonzero(missing.to_numpy())
        if len(where):
            gaps[name] = where
    if gaps:
        first = {name: _some(rows) for name, rows in gaps.items()}
        raise ValueError(
            f"data: expected a value in every cell, given {sum(map(len, gaps.values()))} missing "
            f"or infinite: " + "; ".join(f"'{name}' in row {rows}" for name, rows in first.items())
        )


def _some(rows: npt.NDArray[np.int64]) -> str:
    """The first few of some rows."""
    shown = ", ".join(map(str, rows[:5]))
    return shown if len(rows) <= 5 else f"{shown} and {len(rows) - 5} more"


def check_twice(rows: Numbers, columns: Sequence[ColumnFacts]) -> None:
    """Raise where a column says nothing that another does not say.

    Args:
        rows: ``(n, d)``, categories by number.
        columns: The facts of their columns.

    Raises:
        ValueError: If a column of categories equals another, or one of numbers is a linear
            function of another, beside which it has no density.
    """
    kinds = np.array([column.kind == "category" for column in columns])
    choices: dict[tuple[object, bytes], ColumnFacts] = {}
    for place in np.flatnonzero(kinds).tolist():
        column = columns[place]
        first = choices.setdefault((column.categories, rows[:, place].tobytes()), column)
        if first is not column:
            _refuse(first, column, "a copy of it")
    rows = rows[:, ~kinds]
    columns = [column for column in columns if column.kind != "category"]
    some = rows[:: max(1, len(rows) // 20_000)]
    spread = some.std(0)
    vary = np.flatnonzero(spread > 0)
    z = (some[:, vary] - some[:, vary].mean(0)) / spread[vary]
    alike = np.abs(z.T @ z) / len(some) > 1 - 1e-10
    for i, j in np.argwhere(np.triu(alike, 1)):
        first, second = columns[vary[i]], columns[vary[j]]
        slope = rows[:, vary[j]].std() / rows[:, vary[i]].std()
        sign = np.sign((z[:, i] * z[:, j]).sum())
        moved = (rows[:, vary[i]] - rows[:, vary[i]].mean()) * slope * sign
        rest = rows[:, vary[j]] - rows[:, vary[j]].mean() - moved
        if np.abs(rest).max() <= 1e-5 * rows[:, vary[j]].std():
            _refuse(first, second, "it or a linear function of it")


def _refuse(first: ColumnFacts, second: ColumnFacts, what: str) -> None:
    raise ValueError(
        f"data: expected columns that are not copies of each other, given '{first.name}' and "
        f"'{second.name}', which is {what}; leave one out"
    )
