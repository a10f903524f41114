"""Numpy's npz files, some rows at a time: a zip of one npy file for each column."""

from __future__ import annotations

import shutil
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np

from lambent.store.column import Column, Rows

_BROKEN = (
    ValueError,
    OSError,
    EOFError,
    RuntimeError,  # of an encrypted member, and with NotImplementedError of an unknown compression
    zipfile.BadZipFile,
    zlib.error,
)
"""What a file that was cut, changed or encrypted can raise."""


@contextmanager
def write_npz(
    path: Path, columns: Mapping[str, Column], count: int
) -> Iterator[Callable[[Rows], None]]:
    """Write columns of a known length.

    A zip takes one file after another, so each column grows in a file of its own beside it.

    Args:
        path: The file.
        columns: Type and shape of one row of each.
        count: Rows in all.

    Yields:
        What takes the next rows.
    """
    with ExitStack() as stack:
        files: dict[str, IO[bytes]] = {
            name: stack.enter_context(tempfile.TemporaryFile(dir=path.parent)) for name in columns
        }
        for name, column in columns.items():
            header = np.lib.format.header_data_from_array_1_0(np.empty(0, column.dtype))
            header["shape"] = (count, *column.shape)
            np.lib.format.write_array_header_1_0(files[name], header)

        def add(rows: Rows) -> None:
            for name, values in rows.items():
                files[name].write(np.ascontiguousarray(values).tobytes())

        yield add
        with zipfile.ZipFile(path, "w", allowZip64=True) as archive:
            for name, file in files.items():
                file.seek(0)
                with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                    shutil.copyfileobj(file, member)


def read_npz(path: Path, size: int) -> tuple[int, Iterator[Rows]]:
    """Read columns of one length; see :func:`lambent.store.rows.read_rows`.

    Args:
        path: The file.
        size: Rows at a time.

    Returns:
        How many rows there are, and the rows.

    Raises:
        ValueError: If the file cannot be read so.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            columns = {
                name.removesuffix(".npy"): _header(archive, name) for name in archive.namelist()
            }
    except _BROKEN as error:
        raise ValueError(f"expected a readable npz file in '{path}', got: {error}") from error
    for name, (shape, fortran, dtype) in columns.items():
        if not shape or dtype.hasobject or (fortran and len(shape) > 1):
            raise ValueError(
                f"expected numbers row by row in '{path}', got '{name}' of {dtype} {shape}"
            )
    counts = {name: shape[0] for name, (shape, _, _) in columns.items()}
    if len(set(counts.values())) != 1:
        raise ValueError(f"expected columns of one length in '{path}', got {counts}")
    return next(iter(counts.values())), _rows(path, size)


def _header(archive: zipfile.ZipFile, name: str) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    with archive.open(name) as member:
        return _read_header(member)


def _read_header(member: Any) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Shape, whether columns come first, and type, of an open npy file."""
    version = np.lib.format.read_magic(member)
    if version == (1, 0):
        return np.lib.format.read_array_header_1_0(member)
    return np.lib.format.read_array_header_2_0(member)


def _rows(path: Path, size: int) -> Iterator[Rows]:
    with ExitStack() as stack:
        archive = stack.enter_context(zipfile.ZipFile(path))
        members = {n: stack.enter_context(archive.open(n)) for n in archive.namelist()}
        headers = {name: _read_header(member) for name, member in members.items()}
        count = next(iter(headers.values()))[0][0]
        for start in range(0, count, size):
            rows: Rows = {}
            for name, member in members.items():
                shape, _, dtype = headers[name]
                of_batch = (min(size, count - start), *shape[1:])
                try:
                    content = member.read(int(np.prod(of_batch)) * dtype.itemsize)
                    values = np.frombuffer(content, dtype).reshape(of_batch)
                except _BROKEN as error:
                    raise ValueError(
                        f"expected {count} readable rows in '{path}', got: {error}"
                    ) from error
                rows[name.removesuffix(".npy")] = values.astype(dtype.newbyteorder("="), copy=False)
            yield rows
