"""An image set that stays on disk: pictures are decoded when they are looked up."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from jaxtyping import UInt8
from PIL import Image
from torch import Tensor

from lambent.data.config import DataConfig
from lambent.data.decode import decode, pixels
from lambent.data.levels import check_grey_levels, level_of, pixel_of
from lambent.data.prepare import prepare
from lambent.data.set import ImageSet
from lambent.data.source import Row


def image_of(row: Row, config: DataConfig) -> UInt8[np.ndarray, "c h w"]:
    """Decode a row and do to it what a config says.

    Args:
        row: The row.
        config: What to do.

    Returns:
        Its pixels.

    Raises:
        ValueError: If it cannot be read or prepared so; the message names it.
    """
    picture = row.picture
    if isinstance(picture, bytes) and not picture:
        raise ValueError(f"data: expected a picture, given none in {row.where}")
    if not isinstance(picture, Image.Image):
        picture = decode(picture, row.where)
    try:
        return pixels(prepare(picture, config))
    except ValueError as error:
        raise ValueError(f"{error}: {row.where}") from error


def difference(expected: tuple[int, ...], given: tuple[int, ...], where: str) -> str:
    """What to say of a picture that is not as the first is.

    Args:
        expected: Shape of the first, (channels, height, width).
        given: Its own.
        where: What to call it.

    Returns:
        A line.
    """
    if expected[0] != given[0]:
        kinds = {1: "grey", 3: "colour"}
        return (
            f"data: expected {kinds[expected[0]]} pictures as the first is, "
            f"given a {kinds[given[0]]} one: {where}; --data-channels makes them one kind"
        )
    return (
        f"data: expected every image to be {expected[1]} x {expected[2]} (height x width) as the "
        f"first is, given {given[1]} x {given[2]}: {where}; --data-size resizes them to one size"
    )


class OnDisk(ImageSet):
    """Holds where each image of a set lies, and its label; nothing else stays in memory.

    Looked up in the same order it gives what the set in memory would.

    Args:
        rows: Gives the row of a number of the set as it is stored.
        index: Which rows, int64 (n,), none of them zero.
        config: What is done to the pictures.
        shape: The shape of one image, (channels, height, width).
        labels: The class of each image, int64 (n,), or None.
        grey_levels: Number of grey levels the stored pixels are read on.
        steps: Numbers of grey levels to go down to, one after the other.
        class_names: The name of each class, or None.
        name: What to call the set.

    Raises:
        ValueError: If no row is chosen.
    """

    def __init__(
        self,
        rows: Callable[[int], Row],
        index: Tensor,
        config: DataConfig,
        shape: tuple[int, int, int],
        *,
        labels: Tensor | None = None,
        grey_levels: int = 256,
        steps: tuple[int, ...] = (),
        class_names: tuple[str, ...] | None = None,
        name: str = "images",
    ) -> None:
        if len(index) == 0:
            raise ValueError("index: expected at least one image, given none")
        self.rows = rows
        self.index = index
        self.config = config
        self._shape = shape
        self.labels = labels
        self.grey_levels = steps[-1] if steps else grey_levels
        self.steps = steps
        self.class_names = class_names
        self.name = name

    @property
    def shape(self) -> tuple[int, int, int]:
        """The shape of one image, (channels, height, width)."""
        return self._shape

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self.index)

    def picture(self, number: int) -> UInt8[Tensor, "c h w"]:
        """Decode one image, whatever its size.

        Args:
            number: Its number in this set.

        Returns:
            Its pixels.

        Raises:
            ValueError: If it cannot be read; the message names it.
        """
        image = torch.from_numpy(image_of(self.rows(int(self.index[number])), self.config).copy())
        for levels in self.steps:  # straight to the last would round otherwise
            image = pixel_of(level_of(image, levels), levels).to(torch.uint8)
        return image

    def __getitem__(self, index: int | slice | Tensor) -> tuple[Tensor, Tensor | None]:
        """Decode the images at an index.

        Args:
            index: A number gives one image (c, h, w) and its label (); a slice, a tensor of
                numbers or a mask gives (m, c, h, w) and (m,).

        Returns:
            The images, uint8, and the labels, int64, or None where the set has none.

        One that cannot be read, or is not as the others are, raises by name.
        """
        chosen = torch.arange(len(self))[index]
        images = torch.empty(chosen.numel(), *self._shape, dtype=torch.uint8)
        for place, number in enumerate(chosen.flatten().tolist()):
            images[place] = self._alike(number)
        labels = None if self.labels is None else self.labels[index]
        return images.reshape(*chosen.shape, *self._shape), labels

    def subset(self, index: slice | Tensor) -> OnDisk:
        """Return the chosen images as a set on disk; see :meth:`ImageSet.subset`."""
        labels = None if self.labels is None else self.labels[index]
        return self._with(self.index[index], labels, self.steps)

    def quantised(self, grey_levels: int) -> OnDisk:
        """Return the set at fewer grey levels; see :meth:`ImageSet.quantised`."""
        check_grey_levels(grey_levels)
        return self._with(self.index, self.labels, (*self.steps, grey_levels))

    def _with(self, index: Tensor, labels: Tensor | None, steps: tuple[int, ...]) -> OnDisk:
        return OnDisk(
            self.rows,
            index,
            self.config,
            self._shape,
            labels=labels,
            grey_levels=self.grey_levels,
            steps=steps,
            class_names=self.class_names,
            name=self.name,
        )

    def _alike(self, number: int) -> Tensor:
        image = self.picture(number)
        if tuple(image.shape) != self._shape:
            where = self.rows(int(self.index[number])).where
            raise ValueError(difference(self._shape, tuple(image.shape), where))
        return image
