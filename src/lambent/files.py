"""Files that are whole or not there."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_PART = ".part"
"""In the names of files that are being written."""


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a temporary name beside ``path`` to write to; rename it once the writing succeeded.

    Args:
        path: The final name; its folder is made.

    Yields:
        The temporary name, of the same suffix; the file is gone if the writing fails.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    suffix = f"{_PART}{path.suffix}"
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=suffix)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        with temporary.open("rb") as written:
            os.fsync(written.fileno())  # or a power cut could leave the new name without its bytes
        temporary.chmod(0o666 & ~_umask())
        temporary.replace(path)
        _flush(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


def _flush(folder: Path) -> None:
    """Have a folder's names on the disk too, where the system can."""
    if os.name == "posix":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def sweep(folder: Path) -> None:
    """Delete what writers that were killed left half written; none may be at work there.

    Args:
        folder: Where; it need not be there.
    """
    for left in folder.glob(f".*{_PART}*"):
        left.unlink(missing_ok=True)


def _umask() -> int:
    """The process's file mode mask."""
    mask = os.umask(0)
    os.umask(mask)
    return mask
