"""Ways to part an event in two: what conditions, and what is changed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor


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
