"""The settings of a Real NVP."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from lambent.errors import check_choices
from lambent.flows.pixels import check_at_least, check_events
from lambent.flows.tables import TableConfig


@dataclass(frozen=True, kw_only=True)
class RealNVPConfig(TableConfig):
    """What :func:`lambent.realnvp` builds. The defaults are small: minutes on a laptop."""

    shape: tuple[int, ...] | None = None
    """Shape of an event: (features,) or (channels, height, width); the command line takes the
    data's own."""
    grey_levels: int | None = None
    """Grey levels of images of integers, 2 to 256; the command line takes the data's own. Without
    them events are real numbers, and there is no logit."""
    norm: Literal["batch", "actnorm", "none"] = "batch"
    """What follows a coupling: batch norm as published, a data-initialised scale and shift, or
    nothing."""
    scale_bound: float = 2.0
    """Largest absolute log-scale of a coupling."""
    width: int = 32
    """Hidden channels of the networks at the first scale, doubled at each further one; of vectors
    the hidden units."""
    couplings: int = 10
    """Of vectors: how many couplings."""
    layers: int = 2
    """Of vectors: hidden layers of each network."""
    networks: Literal["one", "two"] = "two"
    """Of vectors: one network for shift and scale, or one for each (ReLU and tanh)."""
    whiten: bool = False
    """Of vectors: whether a triangular map set from the first batch, which takes it to mean 0 and
    covariance 1, comes first."""
    levels: int = 2
    """Of images: number of scales; each but the last halves height and width."""
    network: Literal["residual", "glow"] = "residual"
    """Of images: residual blocks, or the three convolutions of Glow's couplings."""
    blocks: int = 2
    """Of images: residual blocks of each network."""
    alpha: float = 0.05
    """Of images with grey levels: distance kept from 0 and 1 before the logit, 0 up to 1/2."""


def checked(config: RealNVPConfig) -> tuple[int, ...]:
    """The shape of an event, once everything is found to be in range.

    Args:
        config: What to check.

    Returns:
        The shape.

    Raises:
        ValueError: If a field is missing or out of range, or the levels do not divide the size.
    """
    check_choices(config)
    shape = check_events(config.shape, config.grey_levels)
    check_at_least(config, 1, "width", "couplings", "layers", "levels")
    check_at_least(config, 0, "blocks")
    if not config.scale_bound > 0:
        raise ValueError(f"scale_bound: expected more than 0, got {config.scale_bound}")
    if not 0 < config.alpha < 0.5:
        raise ValueError(f"alpha: expected more than 0, less than 0.5, got {config.alpha}")
    if len(shape) == 3:
        _check_divides(shape, config.levels)
    return shape


def _check_divides(shape: tuple[int, ...], levels: int) -> None:
    """Raise unless every level but the last can gather its cells, and the last is a board."""
    _, height, width = shape
    halvings = levels - 1
    fits = levels <= 32 and height % 2**halvings == 0 and width % 2**levels == 0
    if not fits:
        raise ValueError(
            f"levels: expected a height that 2 to the {halvings} divides and a width that 2 to "
            f"the {levels} divides for {levels} levels, got {height} x {width}"
        )
