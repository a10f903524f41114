"""Shifted, mirrored and cropped images: where each is read is drawn with the order of a run."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Int64
from torch import Tensor
from torch.utils.data import Dataset

from lambent.data.images import Images

Reads = Int64[Tensor, "b 4"]
"""For each image: its row, the top and the left of the window that is read, and 1 if mirrored."""


class Windows(Dataset[tuple[Tensor, Tensor | None]]):
    """Reads windows of the images of a set; where a window leaves an image, the border is repeated.

    Args:
        images: The set.
        size: Height and width of a window.

    Raises:
        ValueError: If a window is larger than the images.
    """

    def __init__(self, images: Images, size: tuple[int, int]) -> None:
        if size[0] > images.shape[1] or size[1] > images.shape[2]:
            raise ValueError(f"size: expected windows of at most {images.shape[1:]}, given {size}")
        self.images = images
        self.size = size

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
        index, top, left, mirrored = reads.unbind(1)
        x, y = self.images[index]
        across = torch.arange(self.size[1]).expand(len(reads), -1)
        across = torch.where(mirrored[:, None] > 0, across.flip(1), across)
        rows = (top[:, None] + torch.arange(self.size[0])).clamp(0, x.shape[2] - 1)
        columns = (left[:, None] + across).clamp(0, x.shape[3] - 1)
        batch = torch.arange(len(x))[:, None, None]
        window = x[batch, :, rows[:, :, None], columns[:, None, :]]  # (b, h, w, c)
        return window.permute(0, 3, 1, 2).contiguous(), y

    def centres(self, index: Int64[Tensor, " b"]) -> Reads:
        """What to read of some images to have the window at their centre."""
        top, left = ((whole - part) // 2 for whole, part in self._sides())
        return torch.stack([index, *(torch.full_like(index, n) for n in (top, left, 0))], 1)

    def anywhere(
        self, index: Int64[Tensor, " b"], key: tuple[int, ...], shift: float, *, flip: bool
    ) -> Reads:
        """What to read of some images in a training step: a function of its key alone.

        Args:
            index: Which images.
            key: Numbers from 0, such as seed, epoch and step.
            shift: How far a window may leave its image, as a share of the window; whole pixels.
            flip: Mirror a half of them, by chance.

        Returns:
            Windows at places drawn evenly from all that are allowed.
        """
        draws = np.random.PCG64(np.random.SeedSequence((len(key), *key)))
        even = (draws.random_raw(3 * len(index)) >> np.uint64(11)) * 2.0**-53  # in [0, 1)
        places = even.reshape(3, -1)
        columns = [index]
        for (whole, part), draw in zip(self._sides(), places[:2], strict=True):
            beyond = int(shift * part)
            columns.append(_floor(draw * (whole - part + 2 * beyond + 1)) - beyond)
        columns.append(_floor(2 * places[2]) if flip else torch.zeros_like(index))
        return torch.stack(columns, 1)

    def _sides(self) -> tuple[tuple[int, int], tuple[int, int]]:
        """The image's and the window's height, then their widths."""
        _, height, width = self.images.shape
        return (height, self.size[0]), (width, self.size[1])


def _floor(values: np.ndarray) -> Tensor:
    return torch.from_numpy(np.floor(values).astype(np.int64))
