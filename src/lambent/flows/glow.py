"""Glow: actnorm, invertible 1x1 convolution and coupling, at several scales."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from lambent.core.compose import Compose
from lambent.core.flow import Flow
from lambent.core.registry import check_choices, register
from lambent.core.transform import Transform
from lambent.distributions import StandardNormal
from lambent.nn import CouplingNet, LabelEncoder, SplitPrior, TopPrior
from lambent.transforms import (
    ActNorm,
    Additive,
    Affine,
    Coupling,
    Dequantise,
    Elementwise,
    InvertibleConv1x1,
    MultiScale,
    Permute,
    PLUConv1x1,
    Quantise,
    Rescale,
    SigmoidAffine,
    Squeeze,
    Standardise,
    Whole,
)


@dataclass(frozen=True, kw_only=True)
class GlowConfig:
    """What :func:`glow` builds. The defaults are small: minutes on a laptop."""

    shape: tuple[int, int, int] | None = None
    """Channels, height, width of the images; the command line takes the data's own."""
    grey_levels: int | None = None
    """Grey levels of each channel, 2 to 256; the command line takes the data's own."""
    levels: int = 2
    """Number of scales L; each halves height and width."""
    first_squeeze: Literal[2, 4] = 2
    """Side of the cells the first scale gathers; 4 starts on a coarser, cheaper grid."""
    steps: int = 8
    """Steps of flow at each scale, K."""
    width: int = 128
    """Hidden channels of the coupling networks."""
    coupling: Literal["affine", "additive"] = "affine"
    """Whether a coupling scales and shifts, or only shifts."""
    permutation: Literal["plu", "conv", "shuffle", "reverse"] = "plu"
    """What mixes the channels: 1x1 convolution by factors or by a free weight, or a fixed order."""
    scale: Literal["bounded", "released"] = "bounded"
    """Scale of couplings and priors: bounded both ways, or the released code's to the letter."""
    scale_bound: float = 2.0
    """Largest absolute log-scale of a coupling, where bounded."""
    prior_bound: float = 7.0
    """Largest absolute log-scale of a prior, where bounded."""
    norm: Literal["actnorm", "bias"] = "actnorm"
    """What follows the hidden convolutions."""
    border: bool = True
    """Whether 3x3 convolutions get a channel that marks the border."""
    log_scale_factor: float = 3.0
    """Factor of every learned log-scale, which multiplies its learning rate."""
    learn_top: bool = True
    """Whether the prior of the top latent is learned."""
    conditioning: Literal["none", "top", "strong"] = "none"
    """Where the class label enters: nowhere, the top prior (as released), or every network."""
    classes: int | None = None
    """Number of classes, where conditional; the command line takes the data's own."""
    class_features: int = 32
    """Size of the learned label vector of the strong form."""
    dropout: float = 0.0
    """Chance that a hidden channel is dropped in training; for small data sets."""


@register(GlowConfig)
def glow(config: GlowConfig) -> Flow:
    """Build a Glow over uint8 images.

    The flow is conditional on integer labels ``(b,)`` where ``config.conditioning`` says so.

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
    shape, grey_levels, classes = _checked(config)
    features = {"none": None, "top": classes, "strong": config.class_features}[config.conditioning]
    levels = []
    channels = shape[0]
    for index in range(config.levels):
        squeeze = Squeeze(config.first_squeeze if index == 0 else 2)
        channels = squeeze.factor**2 * channels
        last = index + 1 == config.levels
        levels.append(_level(config, squeeze, channels, features, last=last))
        if not last:
            channels = channels // 2
    steps: dict[str, Transform] = {"quantise": Quantise(grey_levels)} if grey_levels < 256 else {}
    transform = Compose(
        **steps,
        dequantise=Dequantise(grey_levels),
        rescale=Rescale(1 / grey_levels, shift=-grey_levels / 2),
        scales=MultiScale(*levels, shape=shape),
    )
    learned = config.class_features if config.conditioning == "strong" else None
    encoder = None if classes is None else LabelEncoder(classes, learned)
    return Flow(transform, StandardNormal((math.prod(shape),)), context_encoder=encoder)


def _level(
    config: GlowConfig, squeeze: Squeeze, channels: int, features: int | None, *, last: bool
) -> Compose:
    """One scale: squeeze, K steps, and the prior of what leaves."""
    steps: dict[str, Transform] = {
        f"step{k}": Compose(
            actnorm=ActNorm(channels, log_scale_factor=config.log_scale_factor),
            mix=_mix(config, channels),
            coupling=_coupling(config, channels, features),
        )
        for k in range(config.steps)
    }
    prior = _top(config, channels, features) if last else _split(config, channels, features)
    return Compose(squeeze=squeeze, **steps, **({"prior": prior} if prior else {}))


def _mix(config: GlowConfig, channels: int) -> Transform:
    """What mixes the channels of a step."""
    return {
        "plu": PLUConv1x1,
        "conv": InvertibleConv1x1,
        "shuffle": Permute.shuffle,
        "reverse": Permute.reverse,
    }[config.permutation](channels)


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
        kept,
        elementwise.num_params * (channels - kept),
        width=config.width,
        norm=config.norm,
        border=config.border,
        log_scale_factor=config.log_scale_factor,
        context_features=features if config.conditioning == "strong" else None,
        dropout=config.dropout,
    )
    return Coupling(net, elementwise)


def _prior_elementwise(config: GlowConfig) -> Standardise:
    """The map that makes a prior's normal standard."""
    return Standardise(config.prior_bound if config.scale == "bounded" else None)


def _split(config: GlowConfig, channels: int, features: int | None) -> Coupling:
    """The prior of the half that leaves a level."""
    net = SplitPrior(
        channels // 2,
        channels - channels // 2,
        border=config.border,
        log_scale_factor=config.log_scale_factor,
        context_features=features if config.conditioning == "strong" else None,
    )
    return Coupling(net, _prior_elementwise(config))


def _top(config: GlowConfig, channels: int, features: int | None) -> Coupling | None:
    """The prior of the top latent; none where nothing would be learned."""
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


def _checked(config: GlowConfig) -> tuple[tuple[int, int, int], int, int | None]:
    """Shape, grey levels and classes, once everything is found to be in range."""
    check_choices(config)
    if config.shape is None:
        raise ValueError("shape: expected (channels, height, width), got None")
    if config.grey_levels is None:
        raise ValueError("grey_levels: expected 2 to 256, got None")
    if len(config.shape) != 3 or min(config.shape) < 1:
        raise ValueError(f"shape: expected three positive numbers, got {config.shape}")
    if not 2 <= config.grey_levels <= 256:
        raise ValueError(f"grey_levels: expected 2 to 256, got {config.grey_levels}")
    for name in ("levels", "steps", "width", "class_features"):
        if getattr(config, name) < 1:
            raise ValueError(f"{name}: expected at least 1, got {getattr(config, name)}")
    for name in ("scale_bound", "prior_bound", "log_scale_factor"):
        if not getattr(config, name) > 0:
            raise ValueError(f"{name}: expected more than 0, got {getattr(config, name)}")
    if not 0 <= config.dropout < 1:
        raise ValueError(f"dropout: expected 0 up to 1, got {config.dropout}")
    _check_divides(config.shape, config.levels, config.first_squeeze)
    if config.conditioning == "none":
        return config.shape, config.grey_levels, None
    if config.classes is None or config.classes < 1:
        raise ValueError(
            f"classes: conditioning '{config.conditioning}' expects at least 1 class, "
            f"got {config.classes}"
        )
    return config.shape, config.grey_levels, config.classes


def _check_divides(shape: tuple[int, int, int], levels: int, first_squeeze: int) -> None:
    """Raise unless every level can gather its cells."""
    _, height, width = shape
    side = math.gcd(height, width)
    fitting = [n for n in range(1, levels + 1) if side % (first_squeeze * 2 ** (n - 1)) == 0]
    largest = max(fitting, default=0)
    if largest == levels:
        return
    hint = {0: "no levels fit; crop or resize it", 1: "levels 1 would fit"}
    raise ValueError(
        f"levels: expected a height and width that {levels} levels divide "
        f"(multiples of {first_squeeze * 2 ** (levels - 1)}), got {height} x {width}; "
        + hint.get(largest, f"levels 1 to {largest} would fit")
    )
