"""Shifted, mirrored and cropped images: where each is read is drawn with the order of a run."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Int64
from torch import Tensor
from torch.utils.data import Dataset

from lambent.data.on_disk import OnDisk
from lambent.data.set import ImageSet

Reads = Int64[Tensor, "b 4"]
"""For each image: its number, how far down and how far across its window lies, and 1 if mirrored.

A place is a number from 0 below ``STEPS``, of all that are allowed in an image, or -1: the centre.
"""

STEPS = 2**30
"""Steps in which a place is told; more than an image has pixels on a side."""


class Windows(Dataset[tuple[Tensor, Tensor | None]]):
    """Reads windows of the images of a set; where a window leaves an image, the border is repeated.

    The images of a set on disk may differ in size; a window lies in each in its own.

    Args:
        images: The set.
        size: Height and width of a window.
        shift: How far a window may leave its image, as a share of the window; whole pixels.

    Raises:
        ValueError: If a window is larger than the images.
    """

    def __init__(self, images: ImageSet, size: tuple[int, int], shift: float = 0.0) -> None:
        if size[0] > images.shape[1] or size[1] > images.shape[2]:
            raise ValueError(f"size: expected windows of at most {images.shape[1:]}, given {size}")
        self.images = images
        self.size = size
        self.shift = shift

    @property
    def shape(self) -> tuple[int, int, int]:
        """The shape of one window, (channels, height, width)."""
        return self.images.shape[0], *self.size

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self.images)

    def __getitem__(self, reads: Reads) -> tuple[Tensor, Tensor | None]:
        """Return a batch.

        Args:
            reads: What to read.

        Returns:
            The windows, uint8 (b, c, *size), and the labels, int64 (b,), or None.
        """
        index = reads[:, 0]
        if not isinstance(self.images, OnDisk):
            x, y = self.images[index]
            return self._cut(x, reads), y
        pictures = (self._picture(self.images, int(number)) for number in index)
        cut = [self._cut(x[None], row[None]) for x, row in zip(pictures, reads, strict=True)]
        return torch.cat(cut), None if self.images.labels is None else self.images.labels[index]

    def centres(self, index: Int64[Tensor, " b"]) -> Reads:
        """What to read of some images to have the window at their centre."""
        nowhere, unmirrored = torch.full_like(index, -1), torch.zeros_like(index)
        return torch.stack([index, nowhere, nowhere, unmirrored], 1)

    def anywhere(self, index: Int64[Tensor, " b"], key: tuple[int, ...], *, flip: bool) -> Reads:
        """What to read of some images in a training step: a function of its key alone.

        Args:
            index: Which images.
            key: Numbers from 0, such as seed, epoch and step.
            flip: Mirror a half of them, by chance.

        Returns:
            Windows at places drawn evenly from all that are allowed.
        """
        draws = np.random.PCG64(np.random.SeedSequence((len(key), *key))).random_raw(3 * len(index))
        even = torch.from_numpy((draws >> np.uint64(34)).astype(np.int64)).reshape(3, -1)
        mirrored = even[2] * 2 // STEPS if flip else torch.zeros_like(index)
        return torch.stack([index, even[0], even[1], mirrored], 1)

    def _picture(self, images: OnDisk, number: int) -> Tensor:
        """Decode an image, which may be of any size that a window fits into."""
        x = images.picture(number)
        small = x.shape[1] < self.size[0] or x.shape[2] < self.size[1]
        if small or x.shape[0] != self.shape[0]:
            where = images.rows(int(images.index[number])).where
            raise ValueError(
                f"data: expected pictures of {self.shape[0]} channels and at least {self.size[0]} "
                f"x {self.size[1]}, given {x.shape[0]} of {x.shape[1]} x {x.shape[2]}: {where}"
            )
        return x

    def _cut(self, x: Tensor, reads: Reads) -> Tensor:
        """Cut windows out of images (b, c, h, w)."""
        _, down, across, mirrored = reads.unbind(1)
        height, width = self.size
        columns = torch.arange(width).expand(len(x), -1)
        columns = torch.where(mirrored[:, None] > 0, columns.flip(1), columns)
        columns = columns + self._first(across, x.shape[3], width)[:, None]
        rows = torch.arange(height) + self._first(down, x.shape[2], height)[:, None]
        rows, columns = rows.clamp(0, x.shape[2] - 1), columns.clamp(0, x.shape[3] - 1)
        batch = torch.arange(len(x))[:, None, None]
        window = x[batch, :, rows[:, :, None], columns[:, None, :]]  # (b, h, w, c)
        return window.permute(0, 3, 1, 2).contiguous()

    def _first(self, places: Tensor, whole: int, part: int) -> Tensor:
        """The first row or column of each window."""
        beyond = int(self.shift * part)
        drawn = places * (whole - part + 2 * beyond + 1) // STEPS - beyond
        return torch.where(places < 0, (whole - part) // 2, drawn)
