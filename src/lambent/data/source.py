"""What an image set offers before it is loaded, and the built-in digits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
from PIL import Image

from lambent.errors import MissingExtraError


@dataclass(frozen=True)
class Row:
    """One picture of a set, not yet decoded."""

    picture: bytes | Path | Image.Image
    """The bytes (none of them where there is no picture) or the path of its file, or the decoded
    picture, of mode L or RGB."""

    label: int | None
    """Its class, from 0, or None."""

    where: str
    """Its file or its row, for errors."""


def content_of(cell: Mapping[str, Any] | None) -> bytes | Path:
    """What a table's cell in the Hugging Face layout holds of a picture.

    Args:
        cell: Its ``bytes`` and its ``path``, either of which may be missing; or nothing.

    Returns:
        The bytes, none where there is no picture, or the path.
    """
    if cell is None:
        return b""
    content: bytes | None = cell["bytes"]
    return Path(cell["path"] or "") if content is None else content


@runtime_checkable
class Source(Protocol):
    """A stored image set: its splits are known, its pictures are read only on request."""

    @property
    def name(self) -> str:
        """What to call the set."""

    @property
    def grey_levels(self) -> int:
        """The number of grey levels the pixels are read on."""

    @property
    def class_names(self) -> tuple[str, ...] | None:
        """The names of the classes of all splits together, or None."""

    @property
    def counts(self) -> Mapping[str, int]:
        """The number of rows of each split, in the order of the splits."""

    def rows(self, split: str) -> Iterator[Row]:
        """Yield the rows of a split, in a fixed order."""


class Digits:
    """Scikit-learn's handwritten digits: 1,797 images of 1 x 8 x 8 with 17 grey levels.

    Level v of 0 to 16 becomes the pixel ``ceil(256 v / 17)``, which reads back as level v.

    Raises:
        MissingExtraError: If scikit-learn is not installed.
    """

    name = "digits"
    grey_levels = 17

    def __init__(self) -> None:
        try:
            from sklearn.datasets import load_digits
        except ImportError as error:
            raise MissingExtraError("scikit-learn", "data") from error
        digits = load_digits()
        levels = digits.images.astype(np.int64)
        self._pixels = (-(-256 * levels // 17)).astype(np.uint8)
        self._labels = [int(label) for label in digits.target]
        self.class_names = tuple(str(name) for name in digits.target_names)
        self.counts = {"train": len(self._labels)}

    def rows(self, split: str) -> Iterator[Row]:
        """Yield the rows of the one split there is.

        Args:
            split: "train".

        Yields:
            Each row, in scikit-learn's order.
        """
        if split in self.counts:
            for index, (image, label) in enumerate(zip(self._pixels, self._labels, strict=True)):
                yield Row(Image.fromarray(image), label, f"row {index} of digits")
