"""The settings of a Glow."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from lambent.errors import check_choices
from lambent.flows.dequantisation import DequantisationConfig


@dataclass(frozen=True, kw_only=True)
class GlowConfig(DequantisationConfig):
    """What :func:`lambent.glow` builds. The defaults are small: minutes on a laptop."""

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
    conditioning: Literal["none", "top", "strong", "image", "both"] = "none"
    """What enters where: nothing; the class label in the top prior (as released) or in every
    network (strong); a context image in every network (image), or image and label (both)."""
    classes: int | None = None
    """Number of classes, where conditional; the command line takes the data's own."""
    class_features: int = 32
    """Size of the learned label vector of the strong form."""
    task: str | None = None
    """What of an image is the context image: ``superres:FACTOR``, ``colourise`` or
    ``inpaint[:SIDE][:random]``."""
    context_shape: tuple[int, int, int] | None = None
    """Channels, height, width of the context image, where it is no task that makes it."""
    context_features: int = 32
    """Feature planes of the context image at each scale."""
    context_blocks: int = 2
    """Residual blocks of the network that makes them."""
    conditional_norm: bool = True
    """With a context image, whether it scales and shifts every number behind each actnorm."""
    conditional_mix: bool = False
    """With a context image, whether it moves the weights of the 1x1 convolutions, by factors."""
    dropout: float = 0.0
    """Chance that a hidden channel is dropped in training; for small data sets."""
    recompute: Literal["never", "checkpoint", "inverse"] = "never"
    """What the backward pass rebuilds: nothing, the networks' hidden layers, or every state."""
    anchor_every: int | None = None
    """With ``inverse``, a state kept every so many steps; none in between if not given."""


def checked(config: GlowConfig) -> tuple[tuple[int, int, int], int, int | None]:
    """Shape, grey levels and classes, once everything is found to be in range.

    Args:
        config: What to check.

    Returns:
        The three; no classes where the flow is not conditional.

    Raises:
        ValueError: If a field is missing or out of range, or the levels do not divide the size.
    """
    check_choices(config)
    if config.shape is None:
        raise ValueError("shape: expected (channels, height, width), got None")
    if len(config.shape) != 3 or min(config.shape) < 1:
        raise ValueError(f"shape: expected three positive numbers, got {config.shape}")
    if config.grey_levels is None:
        raise ValueError("grey_levels: expected 2 to 256, got None")
    if not 2 <= config.grey_levels <= 256:
        raise ValueError(f"grey_levels: expected 2 to 256, got {config.grey_levels}")
    for name in ("levels", "steps", "width", "class_features", "context_features"):
        if getattr(config, name) < 1:
            raise ValueError(f"{name}: expected at least 1, got {getattr(config, name)}")
    for name in ("scale_bound", "prior_bound", "log_scale_factor"):
        if not getattr(config, name) > 0:
            raise ValueError(f"{name}: expected more than 0, got {getattr(config, name)}")
    if not 0 <= config.dropout < 1:
        raise ValueError(f"dropout: expected 0 up to 1, got {config.dropout}")
    _check_recompute(config)
    _check_images(config)
    _check_divides(config.shape, config.levels, config.first_squeeze)
    if config.conditioning in ("none", "image"):
        return config.shape, config.grey_levels, None
    if config.classes is None or config.classes < 1:
        raise ValueError(
            f"classes: conditioning '{config.conditioning}' expects at least 1 class, "
            f"got {config.classes}"
        )
    return config.shape, config.grey_levels, config.classes


def reads_images(config: GlowConfig) -> bool:
    """Whether a Glow is conditional on images.

    Args:
        config: Its settings.

    Returns:
        True for ``image`` and ``both``.
    """
    return config.conditioning in ("image", "both")


def _check_images(config: GlowConfig) -> None:
    """Raise unless what is said of context images goes together."""
    if config.context_blocks < 0:
        raise ValueError(f"context_blocks: expected at least 0, got {config.context_blocks}")
    if config.task is not None and not reads_images(config):
        raise ValueError(
            f"conditioning: task {config.task} expects image or both, got {config.conditioning}"
        )
    if config.conditional_mix and config.permutation != "plu":
        raise ValueError(f"permutation: conditional_mix expects plu, got {config.permutation}")


def _check_divides(shape: tuple[int, int, int], levels: int, first_squeeze: int) -> None:
    """Raise unless every level can gather its cells."""
    _, height, width = shape
    side = math.gcd(height, width)
    halvings = (side & -side).bit_length() - 1  # how often 2 divides the side
    largest = halvings - first_squeeze // 2 + 1  # levels that fit
    if levels <= largest:
        return
    cell = first_squeeze * 2 ** (levels - 1) if levels < 32 else f"2 to the {levels}"
    hint = {
        -1: "no levels fit; crop or resize it",
        0: "no levels fit; crop or resize it",
        1: "levels 1 would fit",
    }
    raise ValueError(
        f"levels: expected a height and width that {levels} levels divide "
        f"(multiples of {cell}), got {height} x {width}; "
        + hint.get(largest, f"levels 1 to {largest} would fit")
    )


def _check_recompute(config: GlowConfig) -> None:
    """Raise unless what is asked to be rebuilt can be."""
    if config.anchor_every is not None:
        if config.anchor_every < 1:
            raise ValueError(f"anchor_every: expected at least 1, got {config.anchor_every}")
        if config.recompute != "inverse":
            raise ValueError(
                f"anchor_every: expected recompute 'inverse' beside it, got '{config.recompute}'"
            )
    if config.recompute == "inverse" and config.dropout:
        raise ValueError(
            "recompute: inverse expects no dropout, which draws anew in the backward pass; "
            f"got dropout {config.dropout}"
        )
