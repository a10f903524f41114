"""Points of the plane given a condition, for trying conditional flows out."""

from __future__ import annotations

import math

import torch
from torch import Tensor

SHAPES = ("circle", "slash", "two blobs", "three", "square", "grid", "two circles")
"""What the labels of :func:`seven_shapes` stand for."""


def crescents(labels: Tensor, *, noise: float = 0.05) -> Tensor:
    """Two half circles that reach into each other.

    Args:
        labels: 0 for the upper, 1 for the lower, ``(n,)``.
        noise: Standard deviation of the normal noise around them.

    Returns:
        Points, ``(n, 2)``.
    """
    upper = _on_circle(math.pi * torch.rand(len(labels)))
    lower = torch.tensor([1.0, 0.5]) - upper
    x = torch.where(labels[:, None] == 1, lower, upper)
    return x + noise * torch.randn_like(x)


def seven_shapes(labels: Tensor) -> Tensor:
    """One of :data:`SHAPES` for each label, within about a unit of the origin.

    Args:
        labels: 0 to 6, ``(n,)``.

    Returns:
        Points, ``(n, 2)``.
    """
    n = len(labels)
    turn, along, side = 2 * math.pi * torch.rand(n), 2 * torch.rand(n) - 1, torch.randint(4, (n,))
    coin = torch.randint(2, (n,)) * 2.0 - 1
    edge = torch.stack((along, torch.ones(n)), 1)
    edge = torch.where((side % 2 == 0)[:, None], edge, edge.flip(1))
    half_turn = math.pi * (torch.rand(n) - 0.5)
    bumps = 0.5 * _on_circle(half_turn) + torch.stack((torch.zeros(n), 0.5 * coin), 1)
    shapes = torch.stack(
        (
            _on_circle(turn),
            along[:, None].expand(n, 2),
            0.6 * coin[:, None].expand(n, 2),
            bumps.flip(1),  # a three that lies on its side
            edge * torch.where(side < 2, 1.0, -1.0)[:, None],
            torch.randint(3, (n, 2)) - 1.0,
            _on_circle(turn) * torch.where(coin > 0, 1.0, 0.6)[:, None],
        )
    )
    noise = torch.tensor([0.05, 0.05, 0.15, 0.05, 0.0, 0.05, 0.05])
    return shapes[labels, torch.arange(n)] + noise[labels, None] * torch.randn(n, 2)


def sectors(angles: Tensor, *, width: float = 1.0) -> Tensor:
    """Uniform points of the unit disc's sector around each angle.

    Args:
        angles: Radians, ``(n, 1)``.
        width: Of the sector, radians.

    Returns:
        Points, ``(n, 2)``.
    """
    turn = angles[:, 0] + width * (torch.rand(len(angles)) - 0.5)
    return torch.rand(len(angles), 1).sqrt() * _on_circle(turn)


def _on_circle(turn: Tensor) -> Tensor:
    """Points of the unit circle, ``(n, 2)``."""
    return torch.stack((turn.cos(), turn.sin()), 1)
