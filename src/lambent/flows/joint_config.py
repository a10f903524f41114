"""The settings of a joint flow."""

from __future__ import annotations

from dataclasses import dataclass

from lambent.errors import check_choices
from lambent.flows.context import ContextConfig
from lambent.flows.pixels import check_at_least


@dataclass(frozen=True, kw_only=True)
class JointConfig(ContextConfig):
    """What :func:`lambent.joint` builds. The defaults are small: minutes on a laptop.

    One condition is set: labels, ``context_features`` or, of images, ``context_shape``.
    """

    shape: tuple[int, ...] | None = None
    """Shape of an event: (features,) or (channels, height, width); the command line takes the
    data's own."""
    grey_levels: int | None = None
    """Grey levels of images of integers, 2 to 256; the command line takes the data's own. Without
    them events are real numbers."""
    rule_weight: float = 100.0
    """Nats for each unit that the condition's output is off, summed over its numbers; the unit is
    a standard deviation of the condition."""
    condition_noise: float | None = None
    """Noise on the condition in training, as a share of the distance between two labels, or of the
    standard deviation of a condition of real numbers; 0.05 of labels and 0 of real numbers if not
    given. Without it the gaps between labels are a trap: see the docs."""
    couplings: int = 24
    """Affine couplings; of vectors in groups in which every mask has its turn, of images in groups
    of four at full size and of six at half."""
    scale_bound: float = 1.0
    """Largest absolute log-scale of a coupling."""
    width: int = 64
    """Hidden units or channels of each coupling's network."""
    layers: int = 2
    """Of vectors: hidden layers of each coupling's network."""
    blocks: int = 1
    """Of images: residual blocks of each coupling's network."""
    haar: bool = False
    """Of images given images, of even sides: the sums and differences of 2 x 2 blocks have unit
    scale each, in place of pixels, and stand for the places of a block in couplings at half size;
    for data whose blocks obey a rule, as what an image lacks at half the size. Blocks of a
    condition that differ in nothing need ``condition_noise``: see the docs."""
    mask_seed: int = 0
    """Of vectors: chooses the order of the masks."""


LABEL_NOISE = 0.05
"""Of labels, as a share of their distance: measured to close the trap of the gaps on crescents."""


def noise_of(config: JointConfig) -> float:
    """The noise on the condition in training."""
    if config.condition_noise is not None:
        return config.condition_noise
    return LABEL_NOISE if config.conditioning == "label" else 0.0


def condition_of(config: JointConfig, shape: tuple[int, ...]) -> tuple[int, ...] | None:
    """The shape of a condition of real numbers; none for labels.

    Args:
        config: The settings.
        shape: Of an event, already checked.

    Returns:
        ``(features,)`` or ``(channels, height, width)``.

    Raises:
        ValueError: If a field is missing or out of range.
    """
    check_choices(config)
    check_at_least(config, 1, "couplings", "width", "layers")
    check_at_least(config, 0, "blocks", "mask_seed")
    for name in ("rule_weight", "scale_bound"):
        if not getattr(config, name) > 0:
            raise ValueError(f"{name}: expected more than 0, got {getattr(config, name)}")
    if config.condition_noise is not None and not config.condition_noise >= 0:
        raise ValueError(f"condition_noise: expected at least 0, got {config.condition_noise}")
    given = {
        "conditioning label": config.conditioning == "label",
        "context_features": config.context_features is not None,
        "context_shape": config.context_shape is not None,
    }
    if sum(given.values()) != 1:
        named = ", ".join(name for name, there in given.items() if there) or "none"
        raise ValueError(f"conditioning: expected one of {', '.join(given)}, got {named}")
    if config.haar and config.context_shape is None:
        raise ValueError(
            "haar: expected false without a condition of images, context_shape, got true"
        )
    if config.context_features is not None:
        check_at_least(config, 1, "context_features")
        return (config.context_features,)
    if config.context_shape is None:
        if config.classes is None or config.classes < 2:
            raise ValueError(f"classes: expected at least 2, got {config.classes}")
        return None
    if tuple(config.context_shape[1:]) != shape[1:] or config.context_shape[0] < 1:
        raise ValueError(
            f"context_shape: expected images of the events' height and width, "
            f"got {tuple(config.context_shape)} beside {shape}"
        )
    if config.haar and (shape[1] % 2 or shape[2] % 2):
        raise ValueError(f"haar: expected images of even sides, got events of shape {shape}")
    return tuple(config.context_shape)
