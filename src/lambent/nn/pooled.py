"""One vector for each event from a map of features."""

from __future__ import annotations

from torch import Tensor, nn

from lambent.nn.beside import feature_planes
from lambent.nn.conv import ZeroLinear
from lambent.types import Context


class Pooled(nn.Module):
    """A linear function of the spatial mean of feature planes, zero at first.

    Args:
        features: Channels of the planes.
        out_features: Size of the vector.

    Shape:
        ``(b, features, h, w)`` to ``(b, out_features)``.

    Raises:
        ValueError: If the context is no such map.
    """

    def __init__(self, features: int, out_features: int) -> None:
        super().__init__()
        self.features = features
        self.linear = ZeroLinear(features, out_features)

    def forward(self, context: Context | None) -> Tensor:
        """Average and multiply."""
        y: Tensor = self.linear(feature_planes(context, (self.features,)).mean((2, 3)))
        return y
