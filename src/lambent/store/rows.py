"""Tables of arrays, written and read some rows at a time: parquet, or numpy's npz."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from lambent.files import replacing
from lambent.store.column import Column, Rows
from lambent.store.npz import read_npz, write_npz

SUFFIXES = (".npz", ".parquet")


@contextmanager
def writing_rows(
    path: Path, columns: Mapping[str, Column], count: int
) -> Iterator[Callable[[Rows], None]]:
    """Write a table whose number of rows is known, at memory that does not grow with it.

    In parquet a column of pictures, uint8 ``(c, h, w)``, holds PNG files in the Hugging Face
    layout, and one of vectors holds lists of fixed size.

    Args:
        path: ``.npz`` or ``.parquet``; whole or not there.
        columns: Type and shape of one row of each.
        count: Rows in all.

    Yields:
        What takes the next rows, ``(b, *shape)`` of each column.

    Raises:
        ValueError: If other rows come than were announced.
        MissingExtraError: If parquet is asked for and pyarrow is not installed.
    """
    if path.suffix == ".parquet":
        from lambent.store.parquet import write_parquet as write
    else:
        write = write_npz
    taken = 0
    with replacing(path) as temporary, write(temporary, columns, count) as add:

        def take(rows: Rows) -> None:
            nonlocal taken
            sizes = {len(values) for values in rows.values()}
            if rows.keys() != columns.keys() or len(sizes) != 1:
                raise ValueError(f"rows: expected as many of each of {', '.join(columns)}")
            for name, values in rows.items():
                columns[name].check(name, values)
            taken += sizes.pop()
            add(rows)

        yield take
        if taken != count:
            raise ValueError(f"rows: expected {count}, got {taken}")


def read_rows(path: Path, size: int) -> tuple[int, Iterator[Rows]]:
    """Read a table some rows at a time.

    Args:
        path: ``.npz`` or ``.parquet``.
        size: Rows at a time.

    Returns:
        How many rows there are, and the rows; all columns of numbers.

    Raises:
        ValueError: If the file is not such a table, or ``size`` is less than 1.
        MissingExtraError: If it is parquet and pyarrow is not installed.
    """
    if size < 1:
        raise ValueError(f"batch_size: expected a number from 1, got {size}")
    if path.suffix == ".parquet":
        from lambent.store.parquet import read_parquet as read
    else:
        read = read_npz
    return read(path, size)
