"""Glow: actnorm, invertible 1x1 convolution and coupling, at several scales."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Literal

from torch import nn

from lambent.core.compose import Compose
from lambent.core.flow import Flow
from lambent.core.registry import register
from lambent.distributions import StandardNormal
from lambent.flows.conditional import (
    beside,
    image_encoder,
    image_level,
    image_top,
    planes_beside,
)
from lambent.flows.dequantisation import dequantise
from lambent.flows.glow_config import GlowConfig, checked, reads_images
from lambent.flows.pixels import from_pixels
from lambent.nn import CouplingNet, LabelEncoder, SplitPrior, TopPrior
from lambent.transforms import (
    ActNorm,
    Additive,
    Affine,
    ChannelMix,
    Coupling,
    Elementwise,
    GlowLevel,
    GlowStep,
    InvertibleConv1x1,
    MultiScale,
    Permute,
    PLUConv1x1,
    SigmoidAffine,
    Squeeze,
    Standardise,
    Whole,
)


@register(GlowConfig)
def glow(config: GlowConfig) -> Flow:
    """Build a Glow over uint8 images.

    The flow is conditional on integer labels ``(b,)``, on images ``(b, *context_shape)`` or on a
    tuple of both where ``config.conditioning`` says so.

    Args:
        config: Sizes and forms.

    Returns:
        A flow over ``config.shape`` whose latent is one flat standard normal of the same size.

    Raises:
        ValueError: If a field is missing or out of range, or the levels do not divide the size.

    References:
        D. Kingma and P. Dhariwal, "Glow: Generative Flow with Invertible 1x1 Convolutions", 2018,
        arXiv:1807.03039.

    Example:
        >>> flow = glow(GlowConfig(shape=(1, 8, 8), grey_levels=17, steps=1, width=8))
        >>> flow.sample(2).shape
        torch.Size([2, 1, 8, 8])
    """
    shape, grey_levels, classes = checked(config)
    features = {"top": classes, "strong": config.class_features}.get(config.conditioning)
    levels = []
    channels = shape[0]
    for index in range(config.levels):
        squeeze = Squeeze(config.first_squeeze if index == 0 else 2)
        channels = squeeze.factor**2 * channels
        last = index + 1 == config.levels
        levels.append(_level(config, squeeze, channels, features, last=last))
        if not last:
            channels = channels // 2
    noise = dequantise(config, shape, grey_levels, _context_shape(config, shape, features))
    transform = Compose(
        **from_pixels(grey_levels, shift=-0.5, dequantise=noise),  # type: ignore[arg-type]
        scales=MultiScale(*levels, shape=shape),
    )
    learned = config.class_features if config.conditioning == "strong" else None
    encoder: nn.Module | None = None if classes is None else LabelEncoder(classes, learned)
    if reads_images(config):
        encoder = image_encoder(config, shape, classes)
    return Flow(transform, StandardNormal((math.prod(shape),)), context_encoder=encoder)


def _context_shape(
    config: GlowConfig, shape: tuple[int, int, int], features: int | None
) -> tuple[int, ...] | None:
    """The shape of what the first level reads of the context."""
    if reads_images(config):
        cell = config.first_squeeze
        return (config.context_features, shape[1] // cell, shape[2] // cell)
    return None if features is None else (features,)


def _level(
    config: GlowConfig, squeeze: Squeeze, channels: int, features: int | None, *, last: bool
) -> Compose:
    """One scale: squeeze, K steps, and the prior of what leaves."""
    steps = [
        GlowStep(
            actnorm=ActNorm(channels, log_scale_factor=config.log_scale_factor),
            mix=_mix(config, channels),
            coupling=_coupling(config, channels, features),
        )
        for _ in range(config.steps)
    ]
    prior = _top(config, channels, features) if last else _split(config, channels, features)
    if reads_images(config):
        assert prior is not None
        return image_level(config, squeeze, steps, channels, prior)
    chain: Literal["never", "inverse"] = "inverse" if config.recompute == "inverse" else "never"
    return GlowLevel(squeeze, steps, prior, recompute=chain, every=config.anchor_every)


def _mix(config: GlowConfig, channels: int) -> ChannelMix | Permute:
    """What mixes the channels of a step."""
    kinds: dict[str, Callable[[int], ChannelMix | Permute]] = {
        "plu": PLUConv1x1,
        "conv": InvertibleConv1x1,
        "shuffle": Permute.shuffle,
        "reverse": Permute.reverse,
    }
    return kinds[config.permutation](channels)


def _coupling(config: GlowConfig, channels: int, features: int | None) -> Coupling:
    """The coupling of a step."""
    elementwise: Elementwise
    if config.coupling == "additive":
        elementwise = Additive()
    elif config.scale == "released":
        elementwise = SigmoidAffine()
    else:
        elementwise = Affine(config.scale_bound)
    kept = channels // 2
    net = CouplingNet(
        kept + planes_beside(config),
        elementwise.num_params * (channels - kept),
        width=config.width,
        norm=config.norm,
        border=config.border,
        log_scale_factor=config.log_scale_factor,
        context_features=features if config.conditioning == "strong" else None,
        dropout=config.dropout,
        recompute="never" if config.recompute == "never" else "checkpoint",
    )
    return Coupling(beside(config, net), elementwise)


def _prior_elementwise(config: GlowConfig) -> Standardise:
    """The map that makes a prior's normal standard."""
    return Standardise(config.prior_bound if config.scale == "bounded" else None)


def _split(config: GlowConfig, channels: int, features: int | None) -> Coupling:
    """The prior of the half that leaves a level."""
    net = SplitPrior(
        channels // 2 + planes_beside(config),
        channels - channels // 2,
        border=config.border,
        log_scale_factor=config.log_scale_factor,
        context_features=features if config.conditioning == "strong" else None,
    )
    return Coupling(beside(config, net), _prior_elementwise(config))


def _top(config: GlowConfig, channels: int, features: int | None) -> Coupling | None:
    """The prior of the top latent; none where nothing would be learned."""
    if reads_images(config):
        return Coupling(image_top(config, channels), _prior_elementwise(config), Whole())
    if not config.learn_top and features is None:
        return None
    net = TopPrior(
        channels,
        learned=config.learn_top,
        border=config.border,
        log_scale_factor=config.log_scale_factor,
        context_features=features,
    )
    return Coupling(net, _prior_elementwise(config), Whole())
