"""Parquet files, some rows at a time."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from lambent.data import to_picture
from lambent.errors import MissingExtraError
from lambent.store.column import Column, Rows

try:
    import pyarrow as pa
    import pyarrow.compute as pc
    from pyarrow import parquet
except ImportError as error:
    raise MissingExtraError("pyarrow", "data") from error


@contextmanager
def write_parquet(
    path: Path, columns: Mapping[str, Column], count: int
) -> Iterator[Callable[[Rows], None]]:
    """Write columns, a row group for each call.

    Args:
        path: The file.
        columns: Type and shape of one row of each.
        count: Rows in all; parquet does not need to know.

    Yields:
        What takes the next rows.
    """
    schema = pa.schema([pa.field(name, _type(column)) for name, column in columns.items()])
    if any(column.is_pictures for column in columns.values()):
        features = {name: _feature(column) for name, column in columns.items()}
        schema = schema.with_metadata({"huggingface": json.dumps({"info": {"features": features}})})
    with parquet.ParquetWriter(path, schema) as writer:

        def add(rows: Rows) -> None:
            arrays = [_array(rows[name], column) for name, column in columns.items()]
            writer.write_table(pa.Table.from_arrays(arrays, schema=schema))

        yield add


def _type(column: Column) -> Any:
    if column.is_pictures:
        return pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    kind = pa.from_numpy_dtype(np.dtype(column.dtype))
    return pa.list_(kind, int(np.prod(column.shape))) if column.shape else kind


def _feature(column: Column) -> dict[str, Any]:
    """What `datasets` reads of a column of numbers or pictures beyond its type."""
    if column.is_pictures:
        return {"_type": "Image"}
    if column.classes is not None:  # else labels would be numbered anew, by those that occur
        return {"names": [str(k) for k in range(column.classes)], "_type": "ClassLabel"}
    return {"dtype": column.dtype, "_type": "Value"}


def _array(values: npt.NDArray[np.generic], column: Column) -> Any:
    if column.is_pictures:
        files = [{"bytes": _png(value), "path": None} for value in values]
        return pa.array(files, _type(column))
    flat = pa.array(np.ascontiguousarray(values).reshape(-1))
    if not column.shape:
        return flat
    return pa.FixedSizeListArray.from_arrays(flat, int(np.prod(column.shape)))


def _png(pixels: npt.NDArray[np.generic]) -> bytes:
    content = io.BytesIO()
    to_picture(torch.from_numpy(pixels)).save(content, format="PNG")
    return content.getvalue()


def read_parquet(path: Path, size: int) -> tuple[int, Iterator[Rows]]:
    """Read columns of numbers and of lists of numbers; see :func:`lambent.store.rows.read_rows`.

    Args:
        path: The file.
        size: Rows at a time.

    Returns:
        How many rows there are, and the rows.

    Raises:
        ValueError: If the file cannot be read.
    """
    try:
        with parquet.ParquetFile(path) as table:
            count = int(table.metadata.num_rows)
    except (pa.ArrowException, OSError) as error:
        raise ValueError(f"expected a readable parquet file in '{path}', got: {error}") from error
    return count, _rows(path, size)


def _rows(path: Path, size: int) -> Iterator[Rows]:
    try:
        with parquet.ParquetFile(path) as table:
            for batch in table.iter_batches(size):
                names = batch.schema.names
                yield {n: _values(path, n, batch.column(n)) for n in names}
    except (pa.ArrowException, OSError) as error:
        raise ValueError(f"expected a readable parquet file in '{path}', got: {error}") from error


def _values(path: Path, name: str, column: Any) -> npt.NDArray[np.generic]:
    """A column as an array: of lists, ``(b, d)``."""
    kind = column.type
    lists = pa.types.is_list(kind) or pa.types.is_fixed_size_list(kind)
    inner = kind.value_type if lists else kind
    whole = column.null_count == 0
    lengths = set(pc.list_value_length(column).to_pylist()) if lists and whole else {1}
    flat = column.flatten() if lists else column
    numbers = pa.types.is_integer(inner) or pa.types.is_floating(inner)
    if not (numbers and whole and flat.null_count == 0 and len(lengths) == 1):
        raise ValueError(
            f"expected numbers, or lists of them of one length, in '{path}', "
            f"got column '{name}' of {kind}" + (" with gaps" if numbers else "")
        )
    values: npt.NDArray[np.generic] = flat.to_numpy(zero_copy_only=False)
    return values.reshape(len(column), -1) if lists else values
