"""Tables from files, frames and arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from lambent.data.columns import ColumnFacts
from lambent.data.config import DataConfig
from lambent.data.frames import SUFFIXES, array_in, arrow_of, names_in
from lambent.data.order import held_out_rows
from lambent.data.table import Table
from lambent.data.tabular import choose, facts_of, rows_of


def read_table(
    source: object,
    *,
    columns: Sequence[str] | None = None,
    drop: Sequence[str] = (),
    kinds: Mapping[str, str] | None = None,
    context: Sequence[str] = (),
    name: str = "table",
) -> Table:
    """Make a set of a frame, an array or a file.

    Args:
        source: What :func:`~lambent.data.frames.arrow_of` takes: a path, a pandas or polars frame,
            an Arrow table, arrays by name, or an array.
        columns: Which columns, in their order; all if not given.
        drop: Which to leave out.
        kinds: Of columns that are not what their type says: ``real``, ``positive``, ``count``,
            ``integer``, ``category``, ``interval:0:1``, or ``step:0.1``.
        context: Which columns are what rows are given.
        name: What to call the set.

    Returns:
        The set; ``table.facts()`` are the fields of a family's config.

    Raises:
        ValueError: If a column is missing, constant, a copy of another, or has values missing.

    Example:
        >>> import numpy as np
        >>> read_table({"a": np.arange(4.0), "b": np.array(["x", "y", "x", "x"])})
        Table('table', n=4, a: real, b: category)
    """
    table = choose(arrow_of(source), columns, drop)
    facts = facts_of(table, dict(kinds or {}))
    return _parted(table, facts, list(context), name, np.ones(table.num_rows, dtype=np.bool_))


def table_like(
    source: object, columns: tuple[ColumnFacts, ...], given: tuple[ColumnFacts, ...]
) -> Table:
    """Make a set of a table as a model knows its columns.

    Args:
        source: What :func:`~lambent.data.frames.arrow_of` takes.
        columns: The facts the model has of its columns.
        given: Those of the columns that it is given.

    Returns:
        The set.

    Raises:
        ValueError: If a column is missing, or holds values that the model does not know.
    """
    table = arrow_of(source)
    rows = numbers_of(table, columns)
    conditions = numbers_of(table, given) if given else None
    return Table(rows, columns, conditions=conditions, given=given)


def numbers_of(table: Any, columns: Sequence[ColumnFacts]) -> Tensor:
    """The rows of an Arrow table as a tensor: float32, or float64 where that has no room for them.

    Args:
        table: The table.
        columns: The facts of its columns.

    Returns:
        Rows, ``(n, d)``.
    """
    exact = rows_of(table, columns)
    single = exact.astype(np.float32)
    unit = np.array(
        [
            c.step if c.whole else max(float(v.std()), 1e-300)
            for c, v in zip(columns, exact.T, strict=True)
        ]
    )
    room = bool((np.abs(single - exact) <= 1e-4 * unit).all())
    return torch.from_numpy(single if room else exact)


def is_table(name: str) -> bool:
    """Whether a name is a file of a table, and not of pictures.

    Args:
        name: What ``--data`` says.

    Returns:
        True for a CSV file, a parquet or Arrow file without a column ``image``, and an npz file
        that holds an array of two axes called x, data, rows or arr_0.
    """
    path = Path(name).expanduser()
    if not path.is_file() or path.suffix.lower() not in SUFFIXES:
        return False
    if path.suffix.lower() == ".npz":
        return array_in(path) is not None
    return path.suffix.lower() == ".csv" or "image" not in names_in(path)


def load_table(
    name: str,
    config: DataConfig,
    columns: tuple[ColumnFacts, ...] | None = None,
    given: tuple[ColumnFacts, ...] = (),
) -> Table:
    """Load a table from a file.

    Args:
        name: A parquet, CSV, Arrow or npz file.
        config: Which columns, of which kinds, and which rows: ``split`` train, validation or all,
            held out by ``seed``.
        columns: The facts that a model has of its columns, in place of those of the file.
        given: Those of the columns that it is given.

    Returns:
        The rows of the split, in stored order.

    Raises:
        ValueError: If the file cannot be read or a column is not what it should be; see
            :func:`read_table`.
        MissingExtraError: If pyarrow is not installed.
    """
    path = Path(name).expanduser()
    table, held_out, keep = _split(path, config)
    if columns is not None:
        found = table_like(table, columns, given).subset(torch.from_numpy(keep))
        found.name = path.stem
        return found
    context = config.names("context")
    chosen = config.names("columns")
    wanted = [*chosen, *(c for c in context if c not in chosen)] if chosen else None
    table = choose(table, wanted, config.names("drop"))
    facts = facts_of(table, config.kinds_said, ~held_out)
    return _parted(table, facts, context, path.stem, keep)


def stored_rows(name: str, config: DataConfig) -> Any:
    """The rows of a split as the file has them, with all its columns.

    Args:
        name: The file.
        config: Which rows, as for :func:`load_table`.

    Returns:
        A ``pyarrow.Table``.
    """
    table, _, keep = _split(Path(name).expanduser(), config)
    return table.filter(keep)


def _split(
    path: Path, config: DataConfig
) -> tuple[Any, npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """A file's table, which of its rows are held out, and which are in the split."""
    if config.split not in ("train", "validation", "all"):
        raise ValueError(
            f"split: expected one of train, validation, all of {path.name}, given {config.split!r}"
        )
    table = arrow_of(path)
    held_out = np.zeros(table.num_rows, dtype=np.bool_)
    if config.validation > 0 and table.num_rows > 1:
        held_out = held_out_rows(table.num_rows, config.validation, config.seed).numpy()
    elif config.split == "validation":
        raise ValueError("validation: expected more than 0 for a set to validate on, given 0")
    keep = {"train": ~held_out, "validation": held_out, "all": held_out | ~held_out}[config.split]
    return table, held_out, keep


def _parted(
    table: Any,
    facts: tuple[ColumnFacts, ...],
    context: list[str],
    name: str,
    keep: npt.NDArray[np.bool_],
) -> Table:
    """Part the columns in those that are modelled and those that rows are given."""
    known = {column.name: column for column in facts}
    for column in context:
        if column not in known:
            raise ValueError(
                f"context: expected columns of {name} ({', '.join(known)}), given '{column}'"
            )
    columns = tuple(column for column in facts if column.name not in context)
    given = tuple(known[column] for column in context)
    if not columns:
        raise ValueError(
            f"context: expected fewer than the {len(facts)} columns of {name}, "
            f"given {', '.join(context)}"
        )
    rows = numbers_of(table, columns)[keep]
    conditions = numbers_of(table, given)[keep] if given else None
    return Table(rows, columns, name=name, conditions=conditions, given=given)
