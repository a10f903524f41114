"""Image-to-image tasks: what is given of an image, and how well another agrees with it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
from torch import Tensor

Shape = tuple[int, int, int]


class Task(ABC):
    """What of an image is given, and what is to be found: the image itself."""

    @abstractmethod
    def context_shape(self, shape: Shape) -> Shape:
        """The shape of what is given of images of a shape.

        Args:
            shape: ``(c, h, w)`` of the images.

        Returns:
            ``(c', h', w')``.

        Raises:
            ValueError: If the task cannot be set for such images.
        """

    @abstractmethod
    def context(self, images: Tensor) -> Tensor:
        """What is given of images, uint8 ``(b, c, h, w)`` to uint8 ``(b, c', h', w')``."""

    @abstractmethod
    def misfit(self, images: Tensor, context: Tensor) -> Tensor:
        """The mean squared error of what is given, were these the images; ``(b,)``, in grey levels.

        It is of ``images`` such as a model draws, uint8 ``(b, c, h, w)``, against ``context``.
        """

    @abstractmethod
    def picture(self, context: Tensor, shape: Shape) -> Tensor:
        """What is given, to be looked at beside images of a shape; uint8 ``(b, c, h, w)``."""


@dataclass(frozen=True)
class SuperResolution(Task):
    """Given are the means of squares of pixels, rounded; ``superres:FACTOR``."""

    factor: int
    """Side of the squares, 2 or more."""

    def context_shape(self, shape: Shape) -> Shape:
        """Smaller by the factor, which has to divide the sides."""
        c, h, w = shape
        if h % self.factor or w % self.factor:
            raise ValueError(
                f"task: superres:{self.factor} expects a height and width that {self.factor} "
                f"divides, got {h} x {w}"
            )
        return c, h // self.factor, w // self.factor

    def context(self, images: Tensor) -> Tensor:
        """The means."""
        k = self.factor
        squares: Tensor = images.unflatten(3, (-1, k)).unflatten(2, (-1, k))
        sums = squares.sum((3, 5), dtype=torch.int64)
        means: Tensor = (sums + k * k // 2) // (k * k)
        return means.to(torch.uint8)

    def misfit(self, images: Tensor, context: Tensor) -> Tensor:
        """Between the means."""
        return _error(self.context(images), context)

    def picture(self, context: Tensor, shape: Shape) -> Tensor:
        """Every mean as a square."""
        return context.repeat_interleave(self.factor, 2).repeat_interleave(self.factor, 3)


@dataclass(frozen=True)
class Colourisation(Task):
    """Given is the luma (ITU-R 601) of a colour image; ``colourise``."""

    def context_shape(self, shape: Shape) -> Shape:
        """One channel of the same size."""
        if shape[0] != 3:
            raise ValueError(f"task: colourise expects 3 channels, got {shape[0]}")
        return 1, shape[1], shape[2]

    def context(self, images: Tensor) -> Tensor:
        """The luma, as Pillow rounds it."""
        weights = torch.tensor([19595, 38470, 7471], device=images.device)
        grey = (images.long() * weights[:, None, None]).sum(1, keepdim=True)
        return ((grey + 2**15) >> 16).to(torch.uint8)

    def misfit(self, images: Tensor, context: Tensor) -> Tensor:
        """Between the lumas."""
        return _error(self.context(images), context)

    def picture(self, context: Tensor, shape: Shape) -> Tensor:
        """Grey in three channels."""
        return context.expand(-1, 3, -1, -1).contiguous()


@dataclass(frozen=True)
class Inpainting(Task):
    """Given is what lies outside a square, and where that is; ``inpaint[:SIDE][:random]``.

    The context has one channel more than the image: 255 inside the square, where the others are 0.
    """

    side: int | None = None
    """Side of the square in pixels; half of the shorter side of the image if not given."""
    random: bool = False
    """Whether it lies anywhere, drawn anew each time by torch's generator; else in the middle."""

    def context_shape(self, shape: Shape) -> Shape:
        """One channel more."""
        c, h, w = shape
        if self._side(h, w) >= min(h, w):
            raise ValueError(
                f"task: inpaint expects a square smaller than the image, got side {self.side} "
                f"for {h} x {w}"
            )
        return c + 1, h, w

    def context(self, images: Tensor) -> Tensor:
        """The images with a square blanked, and the square."""
        b, _, h, w = images.shape
        hole = self._hole(b, h, w).to(images.device)[:, None]
        return torch.cat((images.masked_fill(hole, 0), hole.to(torch.uint8) * 255), 1)

    def misfit(self, images: Tensor, context: Tensor) -> Tensor:
        """Of the pixels outside the square."""
        hole = context[:, -1:] > 0
        share = 1 - hole.cpu().double().mean((1, 2, 3))
        return _error(images.masked_fill(hole, 0), context[:, :-1]) / share

    def picture(self, context: Tensor, shape: Shape) -> Tensor:
        """The square in grey."""
        return context[:, :-1].masked_fill(context[:, -1:] > 0, 128)

    def _side(self, h: int, w: int) -> int:
        return min(h, w) // 2 if self.side is None else self.side

    def _hole(self, b: int, h: int, w: int) -> Tensor:
        """True inside the squares, ``(b, h, w)``."""
        side = self._side(h, w)
        if self.random:
            top = torch.randint(h - side + 1, (b, 1, 1))
            left = torch.randint(w - side + 1, (b, 1, 1))
        else:
            top = torch.full((b, 1, 1), (h - side) // 2)
            left = torch.full((b, 1, 1), (w - side) // 2)
        rows, columns = torch.arange(h)[:, None], torch.arange(w)
        return (rows >= top) & (rows < top + side) & (columns >= left) & (columns < left + side)


def task_named(name: str) -> Task:
    """The task of a name.

    Args:
        name: ``superres:FACTOR``, ``colourise``, or ``inpaint[:SIDE][:random]``.

    Returns:
        The task.

    Raises:
        ValueError: If there is none.

    Example:
        >>> task_named("inpaint:8:random")
        Inpainting(side=8, random=True)
    """
    kind, *settings = name.split(":")
    numbers = [int(s) for s in settings if s.isascii() and s.isdigit() and int(s) > 0]
    words = [s for s in settings if s == "random"]
    understood = len(numbers) + len(words) == len(settings)
    if kind == "superres" and understood and len(settings) == len(numbers) == 1 and numbers[0] > 1:
        return SuperResolution(numbers[0])
    if kind == "colourise" and not settings:
        return Colourisation()
    if kind == "inpaint" and understood and len(numbers) < 2 and len(words) < 2:
        return Inpainting(numbers[0] if numbers else None, bool(words))
    raise ValueError(
        "task: expected superres:FACTOR (2 or more), colourise or inpaint[:SIDE][:random], "
        f"got '{name}'"
    )


def _error(a: Tensor, b: Tensor) -> Tensor:
    """The mean squared difference of each row."""
    return (a.cpu().double() - b.cpu().double()).square().mean((1, 2, 3))
