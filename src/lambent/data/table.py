"""Tables: one row an event, one column a dimension; and what rows are given, where they are."""

from __future__ import annotations

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from lambent.data.columns import ColumnFacts
from lambent.data.set import EventSet
from lambent.data.tabular import arrow_from


class Table(EventSet):
    """Rows of numbers in memory, in the units of their columns; categories by number.

    Args:
        rows: The numbers; float64 where float32 has no room for them.
        columns: The facts of each column.
        name: What to call the set.
        conditions: What each row is given, where a flow is to be conditional on it.
        given: The facts of each column of those.

    Shape:
        - rows: ``(n, d)``, none of them zero
        - conditions: ``(n, k)``

    Raises:
        ValueError: If there are no rows, or facts and columns differ in number.
    """

    def __init__(
        self,
        rows: Float[Tensor, "n d"],
        columns: tuple[ColumnFacts, ...],
        *,
        name: str = "table",
        conditions: Float[Tensor, "n k"] | None = None,
        given: tuple[ColumnFacts, ...] = (),
    ) -> None:
        if rows.ndim != 2 or rows.numel() == 0 or len(columns) != rows.shape[1]:
            raise ValueError(
                f"rows: expected a non-empty table (n, {len(columns)}), given {tuple(rows.shape)}"
            )
        self.rows = rows
        self.conditions = conditions
        self.columns = columns
        self.given = given
        self.name = name
        self.labels = None
        self.class_names = None

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of one row, (d,)."""
        return (self.rows.shape[1],)

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.rows)

    def __getitem__(self, index: int | slice | Tensor) -> tuple[Tensor, Tensor | None]:
        """Return the rows at an index and their conditions, or None; see :class:`EventSet`."""
        return self.rows[index], None if self.conditions is None else self.conditions[index]

    def subset(self, index: slice | Tensor) -> Table:
        """Return the chosen rows as a set; see :meth:`EventSet.subset`."""
        given = None if self.conditions is None else self.conditions[index]
        return Table(
            self.rows[index], self.columns, name=self.name, conditions=given, given=self.given
        )

    def facts(self) -> dict[str, Any]:
        """Return what a model has to know of the set: its columns, and those that rows are given.

        They are the fields of the same names of a family's config.
        """
        found = {**super().facts(), "columns": self.columns}
        if self.conditions is not None:
            found |= {"context_features": len(self.given), "context_columns": self.given}
        return found

    def arrow(self) -> Any:
        """The rows, with what they are given, as a ``pyarrow.Table`` of the original types."""
        parts = [self.rows] if self.conditions is None else [self.rows, self.conditions]
        return arrow_from(torch.cat(parts, 1).double().numpy(), (*self.columns, *self.given))

    def __repr__(self) -> str:
        """Return the name, the size and the kinds of columns."""
        kinds = ", ".join(f"{column.name}: {column.kind}" for column in self.columns)
        given = ", ".join(column.name for column in self.given)
        return f"Table({self.name!r}, n={len(self)}, {kinds}{' | ' * bool(given)}{given})"
