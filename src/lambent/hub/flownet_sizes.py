"""The sizes that a ``flow.layers`` layout tells."""

from __future__ import annotations

from dataclasses import dataclass

from lambent.hub.parts import Asked
from lambent.hub.weights import Weights


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """Sizes of a model."""

    shape: tuple[int, int, int]
    """Channels, height, width of the image."""
    levels: int
    """How many levels."""
    steps: int
    """How many steps at each."""
    width: int
    """Hidden channels."""
    affine: bool
    """Whether couplings scale."""

    def channels(self, index: int) -> int:
        """Channels at a level."""
        return (4 * self.shape[0]) << index

    def layer(self, index: int, step: int) -> str:
        """The key of a step, or with ``step = steps`` of the prior behind the last."""
        return f"flow.layers.{index * (self.steps + 2) + 1 + step}"


def sizes_of(weights: Weights, asked: Asked, net: str, inner: str) -> Sizes:
    """The sizes, from the names and shapes of the weights.

    Args:
        weights: The foreign state dict.
        asked: What the caller says.
        net: What the layout calls the coupling network.
        inner: What stands between a layer's name and its ``weight``.

    Returns:
        The sizes.

    Raises:
        ValueError: If they do not agree with each other, or with what the caller says.
    """
    count = len(weights.numbers(r"flow\.layers\.(\d+)\.actnorm\."))
    levels = 1 + len(weights.numbers(r"flow\.layers\.(\d+)\.conv\."))
    if count == 0 or count % levels:
        raise ValueError(
            f"flow.layers: expected as many steps at each of {levels} levels, got {count} in all"
        )
    first = f"flow.layers.1.{net}"
    width, half = weights.shape(f"{first}.0{inner}.weight", 4)[:2]
    outputs = weights.shape(f"{first}.4{inner}.weight", 4)[0]
    top, height, across = weights.shape("prior_h", 4)[1:]
    shape = (half // 2, 2**levels * height, 2**levels * across)
    if top != 2 ** (levels + 2) * shape[0]:
        raise ValueError(
            f"prior_h: expected {2 ** (levels + 2) * shape[0]} channels at {levels} levels, "
            f"got {top}"
        )
    if asked.shape not in (None, shape):
        raise ValueError(f"shape: expected {shape}, as these weights say, got {asked.shape}")
    return Sizes(
        shape=shape,
        levels=levels,
        steps=count // levels,
        width=width,
        affine=outputs == 2 * half,
    )
