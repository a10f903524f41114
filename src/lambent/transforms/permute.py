"""Fixed permutations of the channels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from lambent.core.transform import Transform, zero_log_det
from lambent.types import Context, PerSample, X, Z


class Permute(Transform):
    """The channels in another order: ``z_i = x_{order_i}``, ``V = 0``.

    The order is kept in the state dict.

    Args:
        order: A permutation of ``0 ... c - 1``.

    Shape:
        ``(b, c, *)`` both ways.

    Raises:
        ValueError: If ``order`` is not a permutation.
    """

    cheap_inverse = True
    order: Tensor

    def __init__(self, order: Tensor) -> None:
        super().__init__()
        self.register_buffer("order", order.clone())
        if order.device.type != "meta":
            self.check_state()

    def check_state(self) -> None:
        """Raise unless the order is a permutation, as after it was read from a file."""
        found = self.order.cpu()
        if not torch.equal(found.sort()[0], torch.arange(found.numel())):
            raise ValueError(f"order: expected a permutation of 0 ... c - 1, got {found.tolist()}")

    @classmethod
    def reverse(cls, channels: int) -> Permute:
        """The channels from last to first."""
        return cls(torch.arange(channels).flip(0))

    @classmethod
    def shuffle(cls, channels: int) -> Permute:
        """The channels in a random order, drawn once from torch's generator."""
        return cls(torch.randperm(channels))

    @classmethod
    def stacked(cls, layers: Sequence[Any]) -> tuple[Tensor, Tensor]:
        """Several layers as matrices, ``(k, c, c)``, and their ``ln |det|``, all 0."""
        orders = torch.stack([layer.order for layer in layers])
        return F.one_hot(orders), orders.new_zeros(len(layers))

    def _check(self, x: Tensor) -> None:
        if x.shape[1] != len(self.order):
            raise ValueError(f"x: expected {len(self.order)} channels, got {x.shape[1]}")

    def forward(self, x: X, context: Context | None = None) -> tuple[Z, PerSample]:
        """Permute."""
        self._check(x)
        return _reordered(x, self.order), zero_log_det(x)

    def inverse(self, z: Z, context: Context | None = None) -> tuple[X, PerSample]:
        """Permute back."""
        self._check(z)
        return _reordered(z, self.order.argsort()), zero_log_det(z)

    def extra_repr(self) -> str:
        """What ``repr`` shows."""
        return f"{len(self.order)}"


def _reordered(x: Tensor, order: Tensor) -> Tensor:
    """The channels in another order; vectors that lie number by number go on doing so."""
    if x.ndim == 2 and x.T.is_contiguous():
        return x.T.index_select(0, order).T
    return x.index_select(1, order)
