"""What a Glow that is conditional on images has beside, or in place of, a plain one's parts."""

from __future__ import annotations

from typing import Literal

from torch import nn

from lambent.core.compose import Compose
from lambent.core.transform import Transform
from lambent.data.tasks import task_named
from lambent.flows.glow_config import GlowConfig, reads_images
from lambent.nn import Beside, Pooled, Pyramid, SplitPrior, ZeroConv2d
from lambent.transforms import (
    Affine,
    ConditionalConv1x1,
    Coupling,
    GlowStep,
    PLUConv1x1,
    Squeeze,
    Whole,
)


def planes_beside(config: GlowConfig) -> int:
    """How many feature planes a network reads beside its input."""
    return config.context_features if reads_images(config) else 0


def beside(config: GlowConfig, net: nn.Module) -> nn.Module:
    """A network that reads so many planes beside its input, where there are any."""
    return Beside(net, config.context_features) if reads_images(config) else net


def image_encoder(config: GlowConfig, shape: tuple[int, int, int], classes: int | None) -> Pyramid:
    """The network that makes feature planes of the context image for every level.

    Args:
        config: Sizes and the task.
        shape: Of the events.
        classes: How many there are, where a label comes with the image.

    Returns:
        The network.

    Raises:
        ValueError: If the context's shape is missing, not the task's, or does not fit.
    """
    image = config.context_shape
    if config.task is not None:
        image = task_named(config.task).context_shape(shape)
        if config.context_shape not in (None, image):
            raise ValueError(
                f"context_shape: task {config.task} makes {image}, got {config.context_shape}"
            )
    if image is None or len(image) != 3 or min(image) < 1:
        raise ValueError(
            "context_shape: conditioning on images expects a task or (channels, height, width), "
            f"got {image}"
        )
    cells = [config.first_squeeze * 2**i for i in range(config.levels)]
    return Pyramid(
        image,
        [(shape[1] // cell, shape[2] // cell) for cell in cells],
        features=config.context_features,
        blocks=config.context_blocks,
        classes=classes,
    )


def image_level(
    config: GlowConfig, squeeze: Squeeze, steps: list[GlowStep], channels: int, prior: Transform
) -> Compose:
    """One scale: a plain level's parts, with the context in all of them.

    The actnorm of a step is followed by a scale and shift of every number that the context alone
    decides, and its mix is one of the context, where the config says so. The levels are not fused.
    """
    chain: Literal["never", "inverse"] = "inverse" if config.recompute == "inverse" else "never"
    named = {f"step{k}": _step(config, step, channels) for k, step in enumerate(steps)}
    return Compose(
        recompute=chain, every=config.anchor_every, squeeze=squeeze, **named, prior=prior
    )


def _step(config: GlowConfig, step: GlowStep, channels: int) -> Compose:
    features = config.context_features
    parts: dict[str, Transform] = {"actnorm": step.actnorm}
    if config.conditional_norm:
        net = ZeroConv2d(features, 2 * channels, border=config.border)
        parts["inject"] = Coupling(Beside(net, features), Affine(config.scale_bound), Whole())
    parts["mix"] = step.mix
    if config.conditional_mix:
        assert isinstance(step.mix, PLUConv1x1)
        parts["mix"] = ConditionalConv1x1(step.mix, Pooled(features, channels**2))
    parts["coupling"] = step.coupling
    return Compose(**parts)  # type: ignore[arg-type]


def image_top(config: GlowConfig, channels: int) -> nn.Module:
    """The network of the top prior, which reads nothing but the context."""
    net = SplitPrior(
        planes_beside(config),
        channels,
        border=config.border,
        log_scale_factor=config.log_scale_factor,
    )
    return beside(config, net)
