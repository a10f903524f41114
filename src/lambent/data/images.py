"""An image set held in memory."""

from __future__ import annotations

import torch
from torch import Tensor

from lambent.data.levels import check_grey_levels, level_of, pixel_of
from lambent.data.set import ImageSet


class Images(ImageSet):
    """Holds a set of equally sized 8-bit images, with or without labels, in memory.

    Args:
        images: Pixels, 0 to 255.
        labels: The class of each image, from 0, or None.
        grey_levels: Number of grey levels the pixels are read on, 2 to 256.
        class_names: The name of each class, or None; only together with ``labels``.
        name: What to call the set in results.

    Shape:
        - images: ``(n, c, h, w)``, uint8, none of them zero
        - labels: ``(n,)``, int64

    Raises:
        ValueError: If an argument has another type, shape or range.

    Example:
        >>> digits = Images(torch.zeros(6, 1, 8, 8, dtype=torch.uint8), name="blank")
        >>> digits.shape, len(digits[:2][0])
        ((1, 8, 8), 2)
    """

    def __init__(
        self,
        images: Tensor,
        labels: Tensor | None = None,
        *,
        grey_levels: int = 256,
        class_names: tuple[str, ...] | None = None,
        name: str = "images",
    ) -> None:
        if images.dtype != torch.uint8 or images.ndim != 4 or images.numel() == 0:
            raise ValueError(
                "images: expected a non-empty uint8 tensor of shape (n, c, h, w), "
                f"given {images.dtype} {tuple(images.shape)}"
            )
        check_grey_levels(grey_levels)
        if labels is not None:
            _check_labels(labels, len(images), class_names)
        elif class_names is not None:
            raise ValueError("class_names: expected None for a set without labels")
        self.images = images
        self.labels = labels
        self.grey_levels = grey_levels
        self.class_names = class_names
        self.name = name

    @property
    def shape(self) -> tuple[int, int, int]:
        """The shape of one image, (channels, height, width)."""
        _, channels, height, width = self.images.shape
        return channels, height, width

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self.images)

    def __getitem__(self, index: int | slice | Tensor) -> tuple[Tensor, Tensor | None]:
        """Return the images at an index and their labels; see :meth:`ImageSet.__getitem__`."""
        return self.images[index], None if self.labels is None else self.labels[index]

    def subset(self, index: slice | Tensor) -> Images:
        """Return the chosen images as a set in memory; see :meth:`ImageSet.subset`."""
        images, labels = self[index]
        return Images(
            images,
            labels,
            grey_levels=self.grey_levels,
            class_names=self.class_names,
            name=self.name,
        )

    def quantised(self, grey_levels: int) -> Images:
        """Return the set at fewer grey levels; see :meth:`ImageSet.quantised`."""
        check_grey_levels(grey_levels)
        return Images(
            pixel_of(level_of(self.images, grey_levels), grey_levels).to(torch.uint8),
            self.labels,
            grey_levels=grey_levels,
            class_names=self.class_names,
            name=self.name,
        )


def _check_labels(labels: Tensor, size: int, class_names: tuple[str, ...] | None) -> None:
    if labels.dtype != torch.int64 or labels.shape != (size,):
        raise ValueError(
            f"labels: expected an int64 tensor of shape ({size},), "
            f"given {labels.dtype} {tuple(labels.shape)}"
        )
    lowest, highest = int(labels.min()), int(labels.max())
    if lowest < 0:
        raise ValueError(f"labels: expected classes from 0, given {lowest}")
    if class_names is not None and highest >= len(class_names):
        raise ValueError(
            f"class_names: expected at least {highest + 1} names, given {len(class_names)}"
        )
