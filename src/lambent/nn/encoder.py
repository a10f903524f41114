"""Contexts of several kinds as one vector for each event."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lambent.nn.context import context_vector
from lambent.types import Context, Size


class VectorEncoder(nn.Module):
    """Context vectors as they are, once they are found to be of the size a flow was built for.

    Args:
        features: Size of the vectors.

    Shape:
        ``(b, features)`` both ways.
    """

    def __init__(self, features: int) -> None:
        super().__init__()
        self.features = features

    def forward(self, context: Context) -> Tensor:
        """The vectors."""
        return context_vector(context, self.features)

    def extra_repr(self) -> str:
        """What ``repr`` shows."""
        return f"{self.features}"


class ImageEncoder(nn.Module):
    """Context images as vectors: convolutions that halve the sides, then a linear map.

    8-bit images are taken to [-1/2, 1/2]; others are read as they are.

    Args:
        shape: Channels, height and width of the images.
        features: Size of the vectors.
        width: Channels of the first convolution, doubled at the next ones.

    Shape:
        ``(b, c, h, w)`` to ``(b, features)``.

    Raises:
        ValueError: If a context is not images of that shape.
    """

    def __init__(self, shape: Size, features: int = 64, *, width: int = 16) -> None:
        super().__init__()
        self.shape, self.features = tuple(shape), features
        channels, height, breadth = shape
        convs: list[nn.Module] = []
        while max(height, breadth) > 4:
            convs += [nn.Conv2d(channels, width, 3, stride=2, padding=1), nn.ReLU()]
            height, breadth = (height + 1) // 2, (breadth + 1) // 2
            channels, width = width, min(2 * width, 64)
        self.convs = nn.Sequential(*convs)
        self.last = nn.Linear(channels * height * breadth, features)

    def forward(self, images: Context) -> Tensor:
        """One vector for each image."""
        if not isinstance(images, Tensor) or tuple(images.shape[1:]) != self.shape:
            given = tuple(images.shape) if isinstance(images, Tensor) else type(images).__name__
            raise ValueError(f"context: expected images of shape (b, *{self.shape}), got {given}")
        if images.dtype == torch.uint8:
            images = images.to(self.last.weight.dtype) / 255 - 0.5
        h: Tensor = self.last(self.convs(images).flatten(1))
        return F.relu(h)

    def extra_repr(self) -> str:
        """What ``repr`` shows."""
        return f"{self.shape}, features={self.features}"


class Together(nn.Module):
    """A tuple of contexts, each encoded as a vector, joined to one.

    Args:
        *encoders: One for each item of the tuple; each says the size of its vectors in
            ``features``.

    Shape:
        A tuple of contexts to ``(b, the sum of their features)``.

    Raises:
        ValueError: If a context is not a tuple with one item for each encoder.
    """

    def __init__(self, *encoders: nn.Module) -> None:
        super().__init__()
        self.encoders = nn.ModuleList(encoders)
        sizes: list[Any] = [encoder.features for encoder in encoders]
        self.features = int(sum(sizes))

    def forward(self, context: Context) -> Tensor:
        """The vectors side by side."""
        if not isinstance(context, tuple) or len(context) != len(self.encoders):
            given = len(context) if isinstance(context, tuple) else "a tensor"
            raise ValueError(
                f"context: expected a tuple of {len(self.encoders)} contexts, got {given}"
            )
        pairs = zip(self.encoders, context, strict=True)
        return torch.cat([encoder(part) for encoder, part in pairs], 1)


class First(nn.Module):
    """The first of a tuple of contexts alone, as another encoder takes it.

    For a flow that is the conditional of a surjection, and is to read what stays and no more.

    Args:
        encoder: What it goes through.

    Shape:
        A context, or a tuple of contexts, to what the encoder makes of the first.
    """

    def __init__(self, encoder: nn.Module) -> None:
        super().__init__()
        self.encoder = encoder

    def forward(self, context: Context) -> Context:
        """Encode the first."""
        encoded: Context = self.encoder(context[0] if isinstance(context, tuple) else context)
        return encoded
