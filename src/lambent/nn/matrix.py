"""A conditioner that is linear in what it reads."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from lambent.types import Context


class Matrix(nn.Module):
    """``y = W a``, without a shift, ``W`` of zeros at first.

    In an additive coupling it makes a shear.

    Args:
        in_features: Features it reads.
        out_features: Features it puts out.

    Shape:
        ``(b, in_features)`` to ``(b, out_features)``.
    """

    def __init__(self, in_features: int, out_features: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(out_features, in_features))

    def forward(self, a: Tensor, context: Context | None = None) -> Tensor:
        """Multiply."""
        return a @ self.weight.T
