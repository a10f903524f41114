"""Any table as an Arrow table: files, pandas and polars frames, arrays."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from lambent.errors import MissingExtraError

SUFFIXES = frozenset({".parquet", ".csv", ".npz", ".arrow", ".feather"})
"""Of files that may hold a table."""


def arrow_of(source: object) -> Any:
    """A table as Arrow has it.

    Args:
        source: The path of a parquet, CSV, Arrow or npz file; an Arrow table; a pandas or polars
            frame; arrays by column name; or an array ``(n, d)``, whose columns become x0, x1, ...

    Returns:
        A ``pyarrow.Table``.

    Raises:
        ValueError: If it is none of these, or a file cannot be read.
        MissingExtraError: If pyarrow is not installed.
    """
    try:
        import pyarrow as pa  # type: ignore[import-untyped,unused-ignore]
    except ImportError as error:
        raise MissingExtraError("pyarrow", "data") from error
    if isinstance(source, (str, Path)):
        return _read(Path(source).expanduser())
    if isinstance(source, pa.Table):
        return source
    if hasattr(source, "to_arrow"):  # polars
        return pa.table(source.to_arrow())
    if hasattr(source, "iloc"):  # pandas
        named = source.rename(columns=str)  # type: ignore[attr-defined]
        return pa.Table.from_pandas(named, preserve_index=False).replace_schema_metadata(None)
    if isinstance(source, Mapping):
        return pa.table({str(name): pa.array(np.asarray(v)) for name, v in source.items()})
    array = np.asarray(source)
    if array.ndim != 2 or array.dtype.kind not in "fiub":
        raise ValueError(
            f"data: expected a file, a frame, or an array of numbers (n, d), "
            f"given {type(source).__name__} of shape {array.shape}"
        )
    return _of_array(array)


def array_in(path: Path) -> npt.NDArray[Any] | None:
    """The array of two axes that an npz file of numbers holds.

    Args:
        path: The file.

    Returns:
        The one called x, data, rows or arr_0; nothing where there is none, or no file to read.
    """
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as loaded:
            arrays = [loaded[key] for key in ("x", "data", "rows", "arr_0") if key in loaded.files]
    except Exception:  # not readable: whoever loads it says so
        return None
    return next((array for array in arrays if array.ndim == 2 and array.dtype.kind in "fiu"), None)


def names_in(path: Path) -> list[str]:
    """The names of a parquet or Arrow file's columns, without reading what they hold.

    Args:
        path: The file.

    Returns:
        The names; those of a set of images where it cannot be read, whose loader then says so.

    Raises:
        MissingExtraError: If pyarrow is not installed.
    """
    try:
        import pyarrow as pa  # type: ignore[import-untyped,unused-ignore]
        from pyarrow import ipc  # type: ignore[import-untyped,unused-ignore]
        from pyarrow.parquet import read_schema  # type: ignore[import-untyped,unused-ignore]
    except ImportError as error:
        raise MissingExtraError("pyarrow", "data") from error
    try:
        if path.suffix.lower() == ".parquet":
            return list(read_schema(path).names)
        with pa.memory_map(str(path)) as file:
            return list(ipc.open_file(file).schema.names)
    except Exception:  # not readable, or a stream of another kind
        return ["image"]


def _read(path: Path) -> Any:
    suffix = path.suffix.lower()
    if suffix == ".npz":
        array = array_in(path)
        if array is None:
            raise ValueError(f"data: expected an array x (n, d), given none in {str(path)!r}")
        return _of_array(array)
    from pyarrow import csv, feather, parquet  # type: ignore[import-untyped,unused-ignore]

    readers = {".csv": csv.read_csv, ".parquet": parquet.read_table}
    try:
        return readers.get(suffix, feather.read_table)(str(path))
    except Exception as error:  # pyarrow's own, and the file system's
        raise ValueError(
            f"data: expected a readable table, given {str(path)!r}: {error}"
        ) from error


def _of_array(array: npt.NDArray[Any]) -> Any:
    import pyarrow as pa  # type: ignore[import-untyped,unused-ignore]

    columns = {f"x{i}": np.ascontiguousarray(column) for i, column in enumerate(array.T)}
    return pa.table({name: pa.array(values) for name, values in columns.items()})
