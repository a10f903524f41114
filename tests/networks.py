"""The smallest conditioners that serve a test."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from lambent.types import Context


class Dense(nn.Module):
    """A network of one hidden layer over the vector ``(a, context)``; ``a`` may be integers."""

    def __init__(self, inputs: int, outputs: int, *, context: int = 0, width: int = 8) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(inputs + context, width), nn.Tanh(), nn.Linear(width, outputs)
        )
        self.context = context

    def forward(self, a: Tensor, context: Context | None = None) -> Tensor:
        h = a.to(self.layers[0].weight.dtype)
        if self.context:
            if not isinstance(context, Tensor):
                raise ValueError(f"context: expected a tensor, got {type(context).__name__}")
            h = torch.cat((h, context), 1)
        return self.layers(h)


class Planes(nn.Module):
    """A 3x3 convolution over the planes ``(a, context)``."""

    def __init__(self, inputs: int, outputs: int, *, context: int = 0) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs + context, outputs, 3, padding=1)
        self.context = context

    def forward(self, a: Tensor, context: Context | None = None) -> Tensor:
        if self.context:
            if not isinstance(context, Tensor) or context.shape[2:] != a.shape[2:]:
                raise ValueError(f"context: expected planes of size {tuple(a.shape[2:])}")
            a = torch.cat((a, context), 1)
        return self.conv(a)
