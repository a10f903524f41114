"""The peer of the benchmarks: normflows' Glow, built as its own example builds it."""

from __future__ import annotations

import math

import normflows
from torch import nn


def normflows_glow(
    shape: tuple[int, int, int], levels: int, steps: int, width: int, classes: int | None = None
) -> nn.Module:
    """A ``MultiscaleFlow`` of ``GlowBlock``s: channel split, affine, LU 1x1 convolutions.

    Its data are floats, pixels with noise divided by 256. The level nearest the latent comes first.

    Args:
        shape: Channels, height, width.
        levels: Number of scales, L.
        steps: Blocks at each scale, K; 0 leaves the squeezes and the base densities.
        width: Hidden channels of the coupling networks.
        classes: Number of classes; the base is the class-conditional Gaussian of the example with
            them, a plain diagonal Gaussian without.

    Returns:
        The model, not initialised: the peer's actnorms take their values from the first batch.
    """
    channels, height, width_ = shape
    bases, flows, merges = [], [], []
    for index in range(levels):
        depth = levels - index  # squeezes between the data and this level
        inside = channels * 2 ** (depth + 1)
        blocks = [
            normflows.flows.GlowBlock(inside, width, split_mode="channel", scale=True)
            for _ in range(steps)
        ]
        flows.append([*blocks, normflows.flows.Squeeze()])
        if index > 0:
            merges.append(normflows.flows.Merge())
        latent = (inside if index == 0 else inside // 2, height >> depth, width_ >> depth)
        if classes is None:
            bases.append(normflows.distributions.DiagGaussian(latent))
        else:
            bases.append(normflows.distributions.ClassCondDiagGaussian(latent, classes))
    assert sum(math.prod(base.shape) for base in bases) == math.prod(shape)
    return normflows.MultiscaleFlow(bases, flows, merges, class_cond=classes is not None)
