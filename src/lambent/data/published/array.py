"""A file that holds one array of numbers."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from lambent.data.published.splits import Rows


def read_array(path: Path) -> Rows:
    """Read the rows of an npy file; pickled objects are refused.

    Args:
        path: The file.

    Returns:
        The rows, float64 ``(n, d)``.

    Raises:
        ValueError: If it cannot be read, or holds something else.
    """
    try:
        rows = np.load(path, allow_pickle=False)
    except (ValueError, OSError, EOFError) as error:
        raise ValueError(f"root: expected an npy file, given {str(path)!r}: {error}") from error
    if not isinstance(rows, np.ndarray) or rows.ndim != 2 or rows.dtype.kind not in "fiu":
        given = f"{rows.dtype} {rows.shape}" if isinstance(rows, np.ndarray) else "an archive"
        raise ValueError(f"root: expected numbers (n, d), given {given} in {str(path)!r}")
    return rows.astype(np.float64)
