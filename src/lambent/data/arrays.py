"""Image sets in NumPy's files."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from lambent.data.source import Labels, Numbered

SUFFIXES = frozenset({".npy", ".npz"})

_IMAGES = ("images", "image", "x", "data", "arr_0")
_LABELS = ("labels", "label", "y", "arr_1")
_SPLITS = {
    "train": "train",
    "test": "test",
    **dict.fromkeys(("validation", "valid", "val"), "validation"),
}


class Arrays(Numbered):
    """Images of uint8 in an ``.npy`` or ``.npz`` file; of an ``.npz`` with their labels.

    An ``.npz`` names its arrays ``images`` (or ``x``, ``data``) and ``labels`` (or ``y``), with the
    name of a split before or behind: ``x_train``, ``test_images``; without one they are train.
    Images are (n, h, w), (n, h, w, c) or (n, c, h, w), c being 1 or 3. Labels are whole numbers
    from 0. Nothing that is pickled is read.

    Args:
        path: The file.

    Raises:
        ValueError: If it cannot be read, or holds something else.
    """

    def __init__(self, path: Path) -> None:
        images, found = _by_split(path)
        self._images = {split: _rows_of(array, split, path) for split, array in images.items()}
        labels = {split: _labels_of(array, split, path) for split, array in found.items()}
        counts = {split: len(rows) for split, rows in self._images.items()}
        for split, codes in labels.items():
            if len(codes) != counts.get(split, 0):
                raise ValueError(
                    f"data: expected a label for every image of '{split}', given {len(codes)} in "
                    f"{str(path)!r}"
                )
        super().__init__(path.stem, counts, labels)

    def picture(self, split: str, number: int) -> Image.Image:
        """The picture of a row, in the order of the array."""
        return Image.fromarray(np.ascontiguousarray(self._images[split][number]))


def _by_split(path: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """The arrays of images and of labels, by split."""
    found: tuple[dict[str, Any], dict[str, Any]] = ({}, {})
    twice: str | None = None
    try:
        if path.suffix.lower() == ".npy":
            return {"train": np.lib.format.open_memmap(path, mode="r")}, {}
        with path.open("rb") as file, np.load(file, allow_pickle=False) as loaded:
            for key in loaded.files:
                split, kind = _parts(key)
                if kind is not None:
                    twice = twice or (split if split in found[kind] else None)
                    found[kind][split] = loaded[key]
            names = ", ".join(loaded.files)
    except Exception as error:  # numpy, zipfile and zlib have errors of their own
        raise ValueError(
            f"data: expected a readable {path.suffix} file, given {str(path)!r}: {error}"
        ) from error
    if twice is not None:
        raise ValueError(
            f"data: expected one array of images and one of labels for '{twice}', given "
            f"{names} in {str(path)!r}"
        )
    if not found[0]:
        raise ValueError(
            f"data: expected arrays named images and labels, or x_train, y_train, x_test, ..., "
            f"given {names or 'none'} in {str(path)!r}"
        )
    return found


def _parts(key: str) -> tuple[str, int | None]:
    """The split a key names, and 0 for images, 1 for labels."""
    words = re.split(r"[_\-. ]", key.lower())
    named = [word for word in words if word in _SPLITS]
    split = (
        {"valid": "validation", "val": "validation"}.get(named[0], named[0]) if named else "train"
    )
    rest = "_".join(word for word in words if word not in _SPLITS)
    return split, 0 if rest in _IMAGES else 1 if rest in _LABELS else None


def _rows_of(array: npt.NDArray[Any], split: str, path: Path) -> npt.NDArray[np.uint8]:
    """Images as (n, h, w) or (n, h, w, 3)."""
    where = f"'{split}' of {str(path)!r}"
    if array.dtype != np.uint8:
        raise ValueError(f"data: expected images of uint8, given {array.dtype} in {where}")
    first, last = (array.ndim == 4 and array.shape[axis] in (1, 3) for axis in (1, 3))
    if array.size == 0 or not (array.ndim == 3 or first or last):
        raise ValueError(
            "data: expected images (n, h, w), (n, h, w, c) or (n, c, h, w) of 1 or 3 channels, "
            f"given {array.shape} in {where}"
        )
    if first and last:
        raise ValueError(
            f"data: expected one axis of 1 or 3 channels, given {array.shape} in {where}, where "
            "the second and the last both may be"
        )
    if first:
        array = array.transpose(0, 2, 3, 1)
    return array[..., 0] if array.ndim == 4 and array.shape[3] == 1 else array


def _labels_of(array: npt.NDArray[Any], split: str, path: Path) -> Labels:
    flat = array.reshape(-1) if array.ndim == 2 and array.shape[1] == 1 else array
    if flat.ndim != 1 or flat.dtype.kind not in "iu" or (flat.size and flat.min() < 0):
        raise ValueError(
            f"data: expected labels (n,) of whole numbers from 0, given {array.dtype} "
            f"{array.shape} in '{split}' of {str(path)!r}"
        )
    return flat.astype(np.int64)
