"""A network that reads a map of features beside its input."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from lambent.types import Context


class Beside(nn.Module):
    """Feature planes put behind the input of a network, along the channels.

    Args:
        net: A module of ``in_channels + features`` channels that takes no context.
        features: Channels of the feature planes.

    Shape:
        ``(b, in_channels, h, w)`` and ``(b, features, h, w)`` to what ``net`` puts out.

    Raises:
        ValueError: If the context is no map of so many features at the places of the input.
    """

    def __init__(self, net: nn.Module, features: int) -> None:
        super().__init__()
        self.net = net
        self.features = features

    def forward(self, a: Tensor, context: Context | None = None) -> Tensor:
        """Run the network on both."""
        planes = feature_planes(context, (self.features, *a.shape[2:]))
        y: Tensor = self.net(torch.cat((a, planes.to(a.dtype)), 1))
        return y


def feature_planes(context: Context | None, shape: tuple[int, ...]) -> Tensor:
    """The context of a network that reads a map of features.

    Args:
        context: What the network was given.
        shape: ``(features, h, w)``, or ``(features,)`` where the places do not matter.

    Returns:
        ``context``, ``(b, features, h, w)``.

    Raises:
        ValueError: If the context is not a tensor of that shape.
    """
    given = tuple(context.shape) if isinstance(context, Tensor) else type(context).__name__
    if not isinstance(context, Tensor) or context.ndim != 4:
        raise ValueError(f"context: expected feature planes (b, f, h, w), got {given}")
    if tuple(context.shape[1 : 1 + len(shape)]) != tuple(shape):
        raise ValueError(f"context: expected feature planes of {tuple(shape)}, got {given}")
    return context
