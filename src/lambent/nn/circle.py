"""Networks that read angles."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from lambent.types import Context


class OnCircle(nn.Module):
    """A network that reads angles by their cosine and sine, so that it sees no seam.

    Args:
        net: A module of twice as many features, ``net(a, context)``.
        bound: Half the circumference: angles lie from minus this to this.

    Shape:
        ``(b, d)`` to what ``net`` makes of ``(b, 2 d)``.
    """

    def __init__(self, net: nn.Module, bound: float) -> None:
        super().__init__()
        self.net = net
        self.bound = bound

    def forward(self, a: Tensor, context: Context | None = None) -> Tensor:
        """Run the network on cosines and sines."""
        angle = a * (math.pi / self.bound)
        y: Tensor = self.net(torch.cat((angle.cos(), angle.sin()), 1), context)
        return y

    def extra_repr(self) -> str:
        """What ``repr`` shows."""
        return f"{self.bound:g}"
