"""Tables of numbers: one row an event, one numeric column a dimension."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from jaxtyping import Float
from torch import Tensor

from lambent.data.config import DataConfig
from lambent.data.order import held_out_rows
from lambent.data.set import EventSet
from lambent.errors import MissingExtraError

SUFFIXES = frozenset({".parquet", ".csv", ".npz"})


class Table(EventSet):
    """Rows of numbers in memory, float32.

    Args:
        rows: The numbers.
        columns: The name of each column.
        name: What to call the set.
        conditions: What each row is given, where a flow is to be conditional on it.

    Shape:
        - rows: ``(n, d)``, none of them zero
        - conditions: ``(n, k)``

    Raises:
        ValueError: If a number is not finite, or names and columns differ in number.
    """

    def __init__(
        self,
        rows: Float[Tensor, "n d"],
        columns: tuple[str, ...],
        *,
        name: str = "table",
        conditions: Float[Tensor, "n k"] | None = None,
    ) -> None:
        if rows.ndim != 2 or rows.numel() == 0 or len(columns) != rows.shape[1]:
            raise ValueError(
                f"rows: expected a non-empty table (n, {len(columns)}), given {tuple(rows.shape)}"
            )
        self.rows = rows
        self.conditions = conditions
        self.columns = columns
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
        return Table(self.rows[index], self.columns, name=self.name, conditions=given)

    def facts(self) -> dict[str, Any]:
        """Return what a model has to know of the set: how many columns there are, and are given."""
        given = {} if self.conditions is None else {"context_features": self.conditions.shape[1]}
        return {"features": self.rows.shape[1], **super().facts(), **given}


def is_table(name: str) -> bool:
    """Whether a name is a file of numbers, and not of pictures.

    Args:
        name: What ``--data`` says.

    Returns:
        True for a CSV file, a parquet file without a column ``image``, and an npz file that holds
        an array of two axes called x, data, rows or arr_0.
    """
    path = Path(name).expanduser()
    if not path.is_file() or path.suffix.lower() not in SUFFIXES:
        return False
    if path.suffix.lower() == ".parquet":
        return "image" not in _schema(path)
    return path.suffix.lower() == ".csv" or _array_of(path) is not None


def load_table(name: str, config: DataConfig) -> Table:
    """Load the numeric columns of a parquet, CSV or npz file.

    Args:
        name: The file. Columns that hold no numbers are left out; whole numbers become floats.
        config: Which rows: ``split`` train, validation or all, held out by ``seed``.

    Returns:
        The rows of the split, in stored order.

    Raises:
        ValueError: If the file cannot be read, has no numeric column, has missing or infinite
            numbers or constant columns, or all columns are conditions; the message names them.
        MissingExtraError: If pyarrow is not installed and the file needs it.

    References:
        Missing values and constants have no density that a flow could give them.
    """
    path = Path(name).expanduser()
    rows, columns = _read(path)
    _check(rows, columns, path)
    if config.split not in ("train", "validation", "all"):
        raise ValueError(
            f"split: expected one of train, validation, all of {path.name}, given {config.split!r}"
        )
    keep = np.ones(len(rows), dtype=np.bool_)
    if config.split != "all" and config.validation > 0 and len(rows) > 1:
        held_out = held_out_rows(len(rows), config.validation, config.seed).numpy()
        keep = held_out if config.split == "validation" else ~held_out
    elif config.split == "validation":
        raise ValueError("validation: expected more than 0 for a set to validate on, given 0")
    numbers = torch.from_numpy(rows[keep].astype(np.float32))
    count = len(columns) - config.condition
    if count < 1:
        raise ValueError(
            f"condition: expected fewer than the {len(columns)} columns of {path.name}, "
            f"given {config.condition}"
        )
    given = numbers[:, count:] if config.condition else None
    return Table(numbers[:, :count], columns[:count], name=path.stem, conditions=given)


def _read(path: Path) -> tuple[npt.NDArray[np.float64], tuple[str, ...]]:
    """All rows of the numeric columns, and their names."""
    if path.suffix.lower() == ".npz":
        array = _array_of(path)
        if array is None:
            raise ValueError(f"data: expected an array x (n, d), given none in {str(path)!r}")
        return array.astype(np.float64), tuple(f"x{i}" for i in range(array.shape[1]))
    table = _arrow(path)
    import pyarrow.types as kinds  # type: ignore[import-untyped,unused-ignore]

    numeric = [
        field.name
        for field in table.schema
        if kinds.is_integer(field.type) or kinds.is_floating(field.type)
    ]
    if not numeric:
        given = ", ".join(table.schema.names) or "none"
        raise ValueError(f"data: expected a column of numbers, given {given} in {str(path)!r}")
    columns = [table[key].to_numpy(zero_copy_only=False).astype(np.float64) for key in numeric]
    return np.stack(columns, 1), tuple(numeric)


def _arrow(path: Path) -> Any:
    try:
        from pyarrow import csv, parquet  # type: ignore[import-untyped,unused-ignore]
    except ImportError as error:
        raise MissingExtraError("pyarrow", "data") from error
    try:
        read = csv.read_csv if path.suffix.lower() == ".csv" else parquet.read_table
        return read(str(path))
    except Exception as error:  # pyarrow's own, and the file system's
        raise ValueError(
            f"data: expected a readable table, given {str(path)!r}: {error}"
        ) from error


def _schema(path: Path) -> list[str]:
    try:
        from pyarrow.parquet import read_schema  # type: ignore[import-untyped,unused-ignore]

        return list(read_schema(path).names)
    except ImportError as error:
        raise MissingExtraError("pyarrow", "data") from error
    except Exception:  # not readable: whoever loads it says so
        return ["image"]


def _array_of(path: Path) -> npt.NDArray[Any] | None:
    """The array of two axes that an npz file of numbers holds."""
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as loaded:
            arrays = [loaded[key] for key in ("x", "data", "rows", "arr_0") if key in loaded.files]
    except Exception:  # not readable: whoever loads it says so
        return None
    return next((array for array in arrays if array.ndim == 2 and array.dtype.kind in "fiu"), None)


def _check(rows: npt.NDArray[np.float64], columns: tuple[str, ...], path: Path) -> None:
    if len(rows) == 0:
        raise ValueError(f"data: expected rows, given none in {str(path)!r}")
    wrong = ~np.isfinite(rows)
    if wrong.any():
        row, column = np.argwhere(wrong)[0]
        raise ValueError(
            f"data: expected a number in every cell, given {int(wrong.sum())} missing or infinite "
            f"in {', '.join(np.array(columns)[wrong.any(0)])}, the first in row {row} of "
            f"'{columns[column]}' of {str(path)!r}"
        )
    same = (rows == rows[0]).all(0)
    if same.any():
        constant = ", ".join(np.array(columns)[same])
        raise ValueError(
            f"data: expected columns that vary, given constant {constant} in {str(path)!r}"
        )
