"""What every data set offers: events of one shape, and images, in memory or on disk."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

from torch import Tensor
from torch.utils.data import Dataset


class EventSet(Dataset[tuple[Tensor, "Tensor | None"]]):
    """A set of events of one shape, with or without labels."""

    name: str
    """What to call the set in results."""
    class_names: tuple[str, ...] | None
    """The name of each class, or None."""
    labels: Tensor | None
    """The class of each event, int64 (n,), or None."""

    @property
    @abstractmethod
    def shape(self) -> tuple[int, ...]:
        """The shape of one event."""

    @abstractmethod
    def __len__(self) -> int:
        """Return the number of events."""

    @abstractmethod
    def __getitem__(self, index: int | slice | Tensor) -> tuple[Tensor, Tensor | None]:
        """Return the events at an index and their labels.

        Args:
            index: A number gives one event (*shape) and its label (); a slice, a tensor of
                numbers or a mask gives (m, *shape) and (m,).

        Returns:
            The events, and the labels, int64, or None where the set has none.
        """

    @abstractmethod
    def subset(self, index: slice | Tensor) -> EventSet:
        """Return the chosen events as a set with the same facts.

        Args:
            index: A slice, a tensor (m,) of numbers, or a mask (n,).

        Returns:
            The set of the chosen events. Its number of classes is the same when classes are named.

        Raises:
            ValueError: If nothing is chosen, or the index is a single number.
        """

    @property
    def classes(self) -> int | None:
        """The number of classes: as many as names, else the largest label plus one; or None."""
        if self.labels is None:
            return None
        return len(self.class_names) if self.class_names else int(self.labels.max()) + 1

    def facts(self) -> dict[str, Any]:
        """Return what a model has to know of the set: its shape and classes."""
        return {"shape": self.shape, "classes": self.classes}

    def __repr__(self) -> str:
        """Return the name, the size and the facts."""
        facts = ", ".join(f"{key}={value}" for key, value in self.facts().items())
        return f"{type(self).__name__}({self.name!r}, n={len(self)}, {facts})"


class ImageSet(EventSet):
    """A set of equally sized 8-bit images, uint8 (c, h, w).

    Pixels keep their 8-bit values; ``grey_levels`` says on how many levels they are to be read:
    pixel x stands for level ``floor(x * grey_levels / 256)``.
    """

    grey_levels: int
    """Number of grey levels the pixels are read on, 2 to 256."""

    @property
    @abstractmethod
    def shape(self) -> tuple[int, int, int]:
        """The shape of one image, (channels, height, width)."""

    @abstractmethod
    def subset(self, index: slice | Tensor) -> ImageSet:
        """Return the chosen images as a set with the same facts; see :meth:`EventSet.subset`."""

    @abstractmethod
    def quantised(self, grey_levels: int) -> ImageSet:
        """Return the set at fewer grey levels.

        Pixel x becomes the smallest pixel of its level ``floor(x n / 256)``.

        Args:
            grey_levels: ``n``, 2 to 256.

        Returns:
            The set, with the same facts but for ``grey_levels``.

        Raises:
            ValueError: If ``grey_levels`` is out of range.
        """

    def facts(self) -> dict[str, Any]:
        """Return what a model has to know of the set: its shape, grey levels and classes."""
        return {"shape": self.shape, "grey_levels": self.grey_levels, "classes": self.classes}
