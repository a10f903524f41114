"""A conditioner that reads nothing."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from lambent.types import Context


class Constant(nn.Module):
    """The same parameters for every event, 0 at first.

    In a coupling it makes an elementwise map of one part that nothing conditions.

    Args:
        out_features: Features it puts out.

    Shape:
        ``(b, *)`` to ``(b, out_features)``.
    """

    def __init__(self, out_features: int) -> None:
        super().__init__()
        self.value = nn.Parameter(torch.zeros(out_features))

    def forward(self, a: Tensor, context: Context | None = None) -> Tensor:
        """Its parameters, once for each event."""
        return self.value.expand(len(a), -1)
