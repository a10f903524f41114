"""The scales of a layer: by how much it can stretch or shrink a change of its input."""

from __future__ import annotations

from functools import singledispatch
from typing import NamedTuple

import torch
from torch import Tensor

from lambent.core.transform import Transform
from lambent.transforms import ActNorm, ChannelMix, ConditionalConv1x1, Coupling, Rescale
from lambent.types import Context


class Scales(NamedTuple):
    """What a layer multiplies by."""

    smallest: float
    """The smallest factor."""
    largest: float
    """The largest."""
    condition: float | None = None
    """Their ratio, where they are the singular values of one weight."""


@singledispatch
def scales(layer: Transform, x: Tensor, context: Context | None) -> Scales | None:
    """The scales of a layer on a batch; None for a kind of layer that has none to speak of.

    Register a function for a transform of your own.

    Args:
        layer: The layer.
        x: Its inputs, ``(b, *x)``.
        context: What it is conditioned on.

    Returns:
        The smallest and the largest.
    """
    return None


@scales.register
def _(layer: Coupling, x: Tensor, context: Context | None) -> Scales | None:
    a, b = layer.partition.split(x)
    log_derivative = layer.elementwise.forward(b, layer.params(a, b, context))[1]
    return _of(log_derivative.double().exp())


@scales.register
def _(layer: ActNorm, x: Tensor, context: Context | None) -> Scales | None:
    return _of(layer.affine.log_scale.double().exp())


@scales.register
def _(layer: ChannelMix, x: Tensor, context: Context | None) -> Scales | None:
    values = torch.linalg.svdvals(layer.weight().double())
    smallest, largest = float(values.min()), float(values.max())
    return Scales(smallest, largest, largest / smallest if smallest else torch.inf)


@scales.register
def _(layer: ConditionalConv1x1, x: Tensor, context: Context | None) -> Scales | None:
    values = torch.linalg.svdvals(layer.weights(x, context)[0].double())
    worst = (values.amax(1) / values.amin(1)).max()
    return Scales(float(values.min()), float(values.max()), float(worst))


@scales.register
def _(layer: Rescale, x: Tensor, context: Context | None) -> Scales | None:
    return Scales(abs(layer.scale), abs(layer.scale))


def _of(values: Tensor) -> Scales | None:
    return Scales(float(values.min()), float(values.max())) if values.numel() else None
