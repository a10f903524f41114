"""Ways to part an event in two: what conditions, and what is changed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor

from lambent.nn.checkerboard import board, colours


@runtime_checkable
class Partition(Protocol):
    """A fixed way to part ``(b, c, *)`` in two along the channels, and to put it together again."""

    def split(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """The part that conditions and the part that is changed."""
        ...

    def merge(self, a: Tensor, b: Tensor) -> Tensor:
        """The event the two parts came from."""
        ...


@dataclass(frozen=True)
class Halves:
    """First half of the channels and second half; of an odd number the second has one more."""

    def split(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """The two halves."""
        first = x.shape[1] // 2
        return x[:, :first], x[:, first:]

    def merge(self, a: Tensor, b: Tensor) -> Tensor:
        """Both, first half first."""
        return torch.cat((a, b), 1)


@dataclass(frozen=True)
class Whole:
    """Nothing and everything: a map conditioned by the context and the place alone."""

    def split(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """No channels, all channels."""
        return x[:, :0], x

    def merge(self, a: Tensor, b: Tensor) -> Tensor:
        """The second part."""
        return b


@dataclass(frozen=True)
class EveryOther:
    """Channels 0, 2, 4, ... and channels 1, 3, 5, ..."""

    def split(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """The even and the odd channels."""
        return x[:, 0::2], x[:, 1::2]

    def merge(self, a: Tensor, b: Tensor) -> Tensor:
        """Both, in turn."""
        both = torch.cat((a, b), 1)
        places = torch.arange(both.shape[1], device=both.device)
        order = torch.cat((places[0::2], places[1::2]))
        return both.index_select(1, order.argsort())


@dataclass(frozen=True)
class Chosen:
    """Some channels, and all others in their order.

    Args:
        kept: The channels that condition, from 0, each once.
    """

    kept: tuple[int, ...]

    def _order(self, channels: int, device: torch.device) -> Tensor:
        """The channels that condition, then the others."""
        rest = [i for i in range(channels) if i not in self.kept]
        return torch.tensor([*self.kept, *rest], device=device)

    def split(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """The chosen channels and the others."""
        order, count = self._order(x.shape[1], x.device), len(self.kept)
        return x.index_select(1, order[:count]), x.index_select(1, order[count:])

    def merge(self, a: Tensor, b: Tensor) -> Tensor:
        """Both at their places."""
        both = torch.cat((a, b), 1)
        return both.index_select(1, self._order(both.shape[1], both.device).argsort())


@dataclass(frozen=True)
class Checkerboard:
    """The places of planes ``(b, c, h, w)`` whose row + column is even, and the others.

    Each is gathered into planes of half the width; :class:`lambent.nn.Chequered` spreads what
    conditions out again, so that a network sees the masked planes.
    """

    def split(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """The even and the odd places."""
        return colours(x)

    def merge(self, a: Tensor, b: Tensor) -> Tensor:
        """Both at their places."""
        return board(a, b)


@dataclass(frozen=True)
class Complement:
    """Another partition the other way round: what conditioned is changed.

    Args:
        partition: The other partition.
    """

    partition: Partition

    def split(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """The two parts, the second first."""
        first, second = self.partition.split(x)
        return second, first

    def merge(self, a: Tensor, b: Tensor) -> Tensor:
        """The event the two parts came from."""
        return self.partition.merge(b, a)
