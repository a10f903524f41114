"""Between Arrow tables and the rows of numbers that a flow models, with each column's facts."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from lambent.data.columns import (
    MOST_CATEGORIES,
    Asked,
    ColumnFacts,
    Numbers,
    asked,
    check_kind,
    number_facts,
)
from lambent.data.table_checks import check_twice, check_whole
from lambent.errors import DataWarning, unknown


def choose(table: Any, columns: Sequence[str] | None, drop: Sequence[str] = ()) -> Any:
    """The columns of an Arrow table that are asked for.

    One without a name, in which R and pandas write the numbers of the rows, is left out.

    Args:
        table: The table.
        columns: Their names, in the order in which they are to stand; all if not given.
        drop: Names of those to leave out.

    Returns:
        The table of those columns.

    Raises:
        ValueError: If there is no such column, two have one name, or none is left.
    """
    names = list(table.column_names)
    if "" in names and not columns:
        warnings.warn("a column without a name is left out", DataWarning, stacklevel=2)
        drop = [*drop, ""]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"data: expected columns of different names, given two of {twice}")
    for name in [*(columns or ()), *drop]:
        if name not in names:
            raise ValueError(f"columns: {unknown(name, names)}")
    chosen = [name for name in (columns or names) if name not in drop]
    if not chosen or len(set(chosen)) < len(chosen):
        raise ValueError(f"columns: expected columns, each once, given {chosen}")
    return table.select(chosen)


def facts_of(
    table: Any, kinds: Mapping[str, str], rows: npt.NDArray[np.bool_] | None = None
) -> tuple[ColumnFacts, ...]:
    """The facts of every column of an Arrow table.

    Args:
        table: The table. Booleans, strings and dictionaries are categories; so are numbers where
            ``kinds`` says so.
        kinds: What is said of columns, by name; see :func:`~lambent.data.columns.asked`.
        rows: Which rows tell mean, deviation and range, ``(n,)``; all if not given. Categories
            are those of the whole table.

    Returns:
        The facts.

    Raises:
        ValueError: If a column is of another type, has values missing or all the same, or is not
            of the kind that is said; the message names columns and rows.
    """
    said = asked(kinds)
    for name in said:
        if name not in table.column_names:
            raise ValueError(f"kinds: {unknown(name, table.column_names)}")
    if table.num_rows == 0:
        raise ValueError("data: expected rows, given none")
    check_whole(table)
    found = [_facts(name, table[name], said.get(name), rows) for name in table.column_names]
    check_twice(rows_of(table, found), found)
    return tuple(found)


def rows_of(table: Any, columns: Sequence[ColumnFacts]) -> Numbers:
    """The rows of an Arrow table as numbers; a category is the number of its value.

    Args:
        table: Has all the columns, and may have others.
        columns: Their facts.

    Returns:
        Rows, ``(n, d)``, in the columns' own units.

    Raises:
        ValueError: If a column is missing, has a value missing, or one that is not of its kind or
            not among its categories.
    """
    for column in columns:
        if column.name not in table.column_names:
            raise ValueError(f"data: {unknown(column.name, table.column_names)}")
    check_whole(table.select([column.name for column in columns]))
    rows = [_codes(table[c.name], c) for c in columns]
    return np.stack(rows, 1) if rows else np.empty((table.num_rows, 0))


def arrow_from(rows: Numbers, columns: Sequence[ColumnFacts]) -> Any:
    """An Arrow table of rows, in the types that the columns were stored in.

    Args:
        rows: ``(n, d)``, as :func:`rows_of` gives them.
        columns: Their facts.

    Returns:
        A ``pyarrow.Table``.
    """
    import pyarrow as pa  # type: ignore[import-untyped,unused-ignore]

    arrays = {c.name: _stored(rows[:, i], c) for i, c in enumerate(columns)}
    return pa.table(arrays)


def _facts(
    name: str, values: Any, said: Asked | None, rows: npt.NDArray[np.bool_] | None
) -> ColumnFacts:
    import pyarrow as pa  # type: ignore[import-untyped,unused-ignore]

    kind = values.type
    encoded = pa.types.is_dictionary(kind)
    inner = kind.value_type if encoded else kind
    number = (pa.types.is_integer(inner) or pa.types.is_floating(inner)) and not encoded
    choice = encoded or pa.types.is_boolean(inner) or _is_text(inner)
    if not (number or choice):
        raise ValueError(
            f"data: expected columns of numbers, truth values, strings or categories, given "
            f"'{name}' of {kind}; leave it out, or make it a number"
        )
    if not number and said is not None and said.kind != "category":
        raise ValueError(f"kinds: expected '{name}', of {kind}, to be category, given {said.kind}")
    if number and (said is None or said.kind != "category"):
        numbers = _numbers(values)
        if (numbers == numbers[0]).all():
            raise ValueError(_constant(name, float(numbers[0])))
        return number_facts(name, str(inner), numbers if rows is None else numbers[rows], said)
    found = values.unique().to_pylist()
    if len(found) == 1:
        raise ValueError(_constant(name, found[0]))
    categories = sorted(found)
    if encoded:
        categories = values.unify_dictionaries().chunk(0).dictionary.to_pylist()
    if len(categories) > MOST_CATEGORIES:
        raise ValueError(
            f"data: expected at most {MOST_CATEGORIES} categories in a column, given "
            f"{len(categories)} in '{name}'; leave a name or an identifier out"
        )
    return ColumnFacts(
        name=name,
        kind="category",
        dtype=str(inner),
        index=str(kind.index_type) if encoded else "",
        ordered=bool(encoded and kind.ordered),
        categories=tuple(categories),
    )


def _constant(name: str, value: object) -> str:
    return (
        f"data: expected columns that vary, given constant '{name}', {value!r} in every row; "
        "leave it out"
    )


def _is_text(kind: Any) -> bool:
    import pyarrow as pa  # type: ignore[import-untyped,unused-ignore]

    view = getattr(pa.types, "is_string_view", lambda _: False)
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or view(kind))


def _numbers(values: Any) -> Numbers:
    return np.asarray(values.to_numpy().astype(np.float64))


def _codes(values: Any, column: ColumnFacts) -> Numbers:
    if column.kind != "category":
        try:
            numbers = _numbers(values)
        except (ValueError, TypeError) as error:
            raise ValueError(
                f"data: expected numbers in column '{column.name}', given {values.type}"
            ) from error
        check_kind(numbers, column)
        return numbers
    number_of = {value: i for i, value in enumerate(column.categories)}
    listed = values.to_pylist()
    codes = [number_of.get(value, -1) for value in listed]
    if -1 in codes:
        row = codes.index(-1)
        raise ValueError(
            f"data: expected one of {len(column.categories)} categories in column "
            f"'{column.name}', given {listed[row]!r} in row {row}"
        )
    return np.array(codes, np.float64)


def _stored(values: Numbers, column: ColumnFacts) -> Any:
    import pyarrow as pa  # type: ignore[import-untyped,unused-ignore]

    kind = pa.type_for_alias(column.dtype)
    if column.kind == "category":
        if not column.index:
            return pa.array([column.categories[int(code)] for code in values], kind)
        codes = pa.array(values.astype(np.int64)).cast(pa.type_for_alias(column.index))
        words = pa.array(list(column.categories), kind)
        return pa.DictionaryArray.from_arrays(codes, words, ordered=column.ordered)
    if pa.types.is_integer(kind):
        return pa.array(np.round(values).astype(np.int64)).cast(kind)
    return pa.array(values.astype(kind.to_pandas_dtype()))
