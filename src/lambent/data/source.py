"""What an image set offers before it is loaded."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt
from PIL import Image

Picture = bytes | Path | Image.Image
"""The bytes (none of them where there is no picture) or the path of a file, or the decoded picture,
of mode L or RGB."""

Labels = npt.NDArray[np.int64]
"""The class of each row of a split, from 0, or -1."""


@dataclass(frozen=True)
class Row:
    """One picture of a set, not yet decoded."""

    picture: Picture
    """What to decode."""

    label: int | None
    """Its class, from 0, or None."""

    where: str
    """Its file or its row, for errors."""


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

    def numbered(self) -> Numbered:
        """The same rows, looked up by number."""


class Numbered(ABC):
    """A source whose rows are looked up by number.

    Args:
        name: What to call the set.
        counts: The number of rows of each split, in the order of the splits.
        labels: The labels of those splits that have any.
        class_names: The names of the classes, or None.
        grey_levels: The number of grey levels the pixels are read on.
    """

    def __init__(
        self,
        name: str,
        counts: Mapping[str, int],
        labels: Mapping[str, Labels],
        class_names: tuple[str, ...] | None = None,
        grey_levels: int = 256,
    ) -> None:
        self.name = name
        self.counts = dict(counts)
        self.labels = dict(labels)
        self.class_names = class_names
        self.grey_levels = grey_levels

    @abstractmethod
    def picture(self, split: str, number: int) -> Picture:
        """What to decode of a row.

        Args:
            split: One of ``counts``.
            number: From 0.

        Returns:
            The picture, not decoded where it lies in a file.
        """

    def where(self, split: str, number: int) -> str:
        """What to call a row in an error."""
        return f"row {number} of split '{split}' of {self.name}"

    def row(self, split: str, number: int) -> Row:
        """A row of a split.

        Args:
            split: One of ``counts``.
            number: From 0.

        Returns:
            The row.
        """
        labels = self.labels.get(split)
        label = -1 if labels is None else int(labels[number])
        picture = self.picture(split, number)
        return Row(picture, None if label < 0 else label, self.where(split, number))

    def rows(self, split: str) -> Iterator[Row]:
        """Yield the rows of a split, in order.

        Args:
            split: One of ``counts``.

        Yields:
            Each row.
        """
        for number in range(self.counts[split]):
            yield self.row(split, number)

    def numbered(self) -> Numbered:
        """Itself."""
        return self


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
    if content is None:
        return Path(cell["path"]) if cell["path"] else b""
    return content
