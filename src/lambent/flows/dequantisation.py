"""The noise that takes integers to real numbers: uniform, or a small conditional flow's."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from typing import Literal

from torch import nn

from lambent.core.compose import Compose
from lambent.core.flow import Flow
from lambent.core.transform import Transform
from lambent.distributions import StandardLogistic
from lambent.flows.couplings import of_images, of_vectors
from lambent.flows.pixels import check_at_least
from lambent.nn import (
    MLP,
    Beside,
    CouplingNet,
    Pyramid,
    PyramidAndContext,
    Together,
    VectorEncoder,
)
from lambent.transforms import (
    Affine,
    Coupling,
    Dequantise,
    Logit,
    MultiScale,
    Squeeze,
    VariationalDequantise,
    Whole,
)
from lambent.types import Size


@dataclass(frozen=True, kw_only=True)
class DequantisationConfig:
    """How a family takes integers to real numbers: pixels, or the whole numbers of a table."""

    dequantisation: Literal["uniform", "variational"] = "uniform"
    """The noise that is added to integers: uniform, or a small conditional flow's, which is
    trained along and tightens the bound."""
    noise_couplings: int = 4
    """Of variational noise: couplings of its flow."""
    noise_width: int = 32
    """Of variational noise: hidden channels of its networks, and planes they see of the image; the
    units of its networks of a table."""


def dequantise(
    config: DequantisationConfig, shape: Size, grey_levels: int, context: Size | None = None
) -> Transform:
    """The layer that a config asks for.

    Args:
        config: A family's config.
        shape: Of an image, ``(c, h, w)``.
        grey_levels: Of each channel.
        context: Shape of what the layers of the flow read of its context, where it is conditional;
            of a tuple, of the first. Variational noise reads it too.

    Returns:
        The layer.

    Raises:
        ValueError: If a field is out of range, or the image's sides are odd.
    """
    if config.dequantisation == "uniform":
        return Dequantise(grey_levels)
    check_at_least(config, 1, "noise_couplings", "noise_width")
    noise = noise_flow(
        shape, couplings=config.noise_couplings, width=config.noise_width, context=context
    )
    return VariationalDequantise(grey_levels, noise)


def noise_flow(
    shape: Size, *, couplings: int = 4, width: int = 32, context: Size | None = None
) -> Flow:
    """A flow over numbers from 0 to 1, conditional on an event of the same shape.

    Couplings of the logits, on a base of logistics: it starts as exactly uniform. Given a shape of
    a context, it is conditional on a tuple of an event and a context.

    Args:
        shape: Of an event, ``(d,)`` or ``(c, h, w)``.
        couplings: How many.
        width: Hidden units or channels of the networks, and planes they see of the event.
        context: Shape of a context: ``(k,)``, or for images feature planes ``(k, h, w)`` too.

    Returns:
        The flow.

    Raises:
        ValueError: If the shape is neither, or the sides of images are odd.
    """
    base = StandardLogistic((math.prod(shape),))
    encoder: nn.Module
    if len(shape) == 1:
        encoder = VectorEncoder(shape[0])
        if context is not None:
            encoder = Together(encoder, VectorEncoder(context[0]))
        steps = _of_vectors(shape[0], couplings, width, shape[0] + (context or (0,))[0])
        return Flow(steps, base, context_encoder=encoder)
    if len(shape) != 3 or shape[1] % 2 or shape[2] % 2:
        raise ValueError(
            f"dequantisation: expected images of even height and width for variational noise, "
            f"got {tuple(shape)}"
        )
    channels, height, breadth = shape

    def net(kept: int, params: int) -> nn.Module:
        return Beside(CouplingNet(kept + width, params, width=width), width)

    of_halves = of_images(couplings, 4 * channels, net, Affine(), board=False)
    scales = MultiScale(Compose(Squeeze(), *of_halves), shape=shape)
    pyramid = Pyramid(
        (channels, height, breadth), [(height // 2, breadth // 2)], features=width, blocks=1
    )
    encoder = pyramid if context is None else PyramidAndContext(pyramid, width, context)
    return Flow(Compose(logit=Logit(0.0), scales=scales), base, context_encoder=encoder)


def _of_vectors(features: int, couplings: int, width: int, context_features: int) -> Compose:
    """Couplings of a vector; of one number a scale and shift that the context decides."""
    net = partial(MLP, width=width, context_features=context_features)
    if features == 1:
        return Compose(logit=Logit(0.0), alone=Coupling(net(0, 2), Affine(), Whole()))
    steps = {f"coupling{i}": of_vectors(i, features, net, Affine()) for i in range(couplings)}
    return Compose(logit=Logit(0.0), **steps)  # type: ignore[arg-type]
