"""The two colours of a checkerboard, and a network that sees one and answers for the other."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from lambent.types import Context


def colours(x: Tensor) -> tuple[Tensor, Tensor]:
    """The places whose row + column is even, and those where it is odd, row by row.

    Args:
        x: Planes ``(b, c, h, w)``.

    Returns:
        Two tensors ``(b, c, h, w / 2)``.

    Raises:
        ValueError: If the width is odd.
    """
    if x.ndim != 4 or x.shape[-1] % 2:
        raise ValueError(
            f"x: expected planes (b, c, h, w) of even width for a checkerboard, "
            f"got {tuple(x.shape)}"
        )
    first, second = x.unflatten(-1, (-1, 2)).unbind(-1)
    swapped = _odd_rows(first)
    return torch.where(swapped, second, first), torch.where(swapped, first, second)


def board(even: Tensor, odd: Tensor) -> Tensor:
    """The planes that :func:`colours` parted, ``(b, c, h, w)``."""
    swapped = _odd_rows(even)
    first, second = torch.where(swapped, odd, even), torch.where(swapped, even, odd)
    return torch.stack((first, second), -1).flatten(-2)


def _odd_rows(x: Tensor) -> Tensor:
    return (torch.arange(x.shape[-2], device=x.device) % 2 == 1)[:, None]


class Chequered(nn.Module):
    """A network over whole planes as the conditioner of a checkerboard's coupling.

    It sees the colour that conditions at its places and zeros at the others, and what it says at
    the others is taken.

    Args:
        net: ``net(x, context)``, ``(b, c, h, w)`` to ``(b, k * c, h, w)``.
        odd: Whether it is the odd colour that conditions.

    Shape:
        ``(b, c, h, w / 2)`` to ``(b, k * c, h, w / 2)``.
    """

    def __init__(self, net: nn.Module, *, odd: bool = False) -> None:
        super().__init__()
        self.net = net
        self.odd = odd

    def forward(self, a: Tensor, context: Context | None = None) -> Tensor:
        """The parameters of the other colour."""
        blank = torch.zeros_like(a)
        even, odd = colours(self.net(board(blank, a) if self.odd else board(a, blank), context))
        return even if self.odd else odd

    def extra_repr(self) -> str:
        """What ``repr`` shows."""
        return f"odd={self.odd}"
