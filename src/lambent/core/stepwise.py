"""The protocol of conditioners that give one number's parameters after the other's."""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable

from torch import Tensor

from lambent.types import Context


@runtime_checkable
class Stepwise(Protocol):
    """A conditioner that gives the parameters of one number after the other, in one pass in all."""

    def start(self, context: Context | None, like: Tensor) -> Any:
        """What is known before the first number of vectors such as ``like``, ``(b, d)``."""

    def step(self, i: int, previous: Tensor | None, so_far: Any) -> tuple[Tensor, Any]:
        """The parameters ``(b, k)`` of number ``i``, and what the next step needs."""
