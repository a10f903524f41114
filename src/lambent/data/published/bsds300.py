"""BSDS300: 8 x 8 patches of grey photographs."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from lambent.data.published.splits import Rows, Splits, parted
from lambent.errors import MissingExtraError


def load_bsds300(file: Path) -> Splits:
    """Load BSDS300, which is published in its three parts and ready made.

    Each row is a patch with its mean taken off and the last pixel left out.

    Args:
        file: ``BSDS300/BSDS300.hdf5``.

    Returns:
        The parts, of 63 columns.

    Raises:
        ValueError: If the file cannot be read or lacks a part.
        MissingExtraError: If h5py is not installed.
    """
    try:
        import h5py
    except ImportError as error:
        raise MissingExtraError("h5py", "hdf5") from error
    try:
        with h5py.File(file, "r") as opened:
            train, validation, test = (
                _part(opened, key, file) for key in ("train", "validation", "test")
            )
    except OSError as error:
        raise ValueError(f"root: expected an HDF5 file, given {str(file)!r}: {error}") from error
    return parted("bsds300", train, validation, test)


def _part(opened: object, key: str, file: Path) -> Rows:
    found = opened.get(key)  # type: ignore[attr-defined]
    if len(getattr(found, "shape", ())) != 2 or found.dtype.kind != "f":
        raise ValueError(f"root: expected numbers (n, d) called {key} in {str(file)!r}, given none")
    rows: Rows = found[()].astype(np.float64, copy=False)
    return rows
