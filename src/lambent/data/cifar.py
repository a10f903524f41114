"""CIFAR-10 in its published binary form."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from lambent.data.source import Numbered

_RECORD = 1 + 3 * 32 * 32
"""Bytes of one image: its label, then red, green and blue rows."""


class CifarBinary(Numbered):
    """The folder ``cifar-10-batches-bin``: ``data_batch_1.bin`` to 5, ``test_batch.bin``.

    Args:
        path: The folder.

    Raises:
        ValueError: If a file is damaged, or the folder is of the Python form, which is pickled.

    References:
        A. Krizhevsky, "Learning multiple layers of features from tiny images", 2009 (the set).
    """

    def __init__(self, path: Path) -> None:
        batches = {
            "train": sorted(path.glob("data_batch_*.bin")),
            "test": [path / "test_batch.bin"],
        }
        files = {split: [f for f in found if f.is_file()] for split, found in batches.items()}
        if not any(files.values()):
            raise ValueError(
                f"data: expected CIFAR-10's binary version, given its Python version in "
                f"{str(path)!r}, whose pickles are not loaded: they could run anything"
            )
        self._records = {split: _read(found) for split, found in files.items() if found}
        names = path / "batches.meta.txt"
        words = names.read_text().split() if names.is_file() else []
        labels = {k: v[:, 0].astype(np.int64) for k, v in self._records.items()}
        counts = {split: len(records) for split, records in self._records.items()}
        super().__init__("cifar10", counts, labels, tuple(words) if len(words) == 10 else None)

    def picture(self, split: str, number: int) -> Image.Image:
        """The picture of a row, in the order of the files."""
        channels = self._records[split][number, 1:].reshape(3, 32, 32)
        return Image.fromarray(np.ascontiguousarray(channels.transpose(1, 2, 0)))


def is_cifar(path: Path) -> bool:
    """Whether a folder holds CIFAR-10's batches, in either form."""
    names = ("data_batch_1.bin", "test_batch.bin", "data_batch_1", "test_batch")
    return path.is_dir() and any((path / name).is_file() for name in names)


def _read(files: list[Path]) -> npt.NDArray[np.uint8]:
    records = []
    for file in files:
        content = np.fromfile(file, np.uint8)
        if content.size == 0 or content.size % _RECORD:
            raise ValueError(
                f"data: expected records of {_RECORD} bytes, given {content.size} bytes in "
                f"{str(file)!r}"
            )
        found = content.reshape(-1, _RECORD)
        if found[:, 0].max() > 9:
            raise ValueError(f"data: expected labels 0 to 9, given others in {str(file)!r}")
        records.append(found)
    return np.concatenate(records)
