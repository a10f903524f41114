"""The steps that take the pixels of an image to real numbers."""

from __future__ import annotations

import math

from lambent.core.transform import Transform
from lambent.transforms import Dequantise, Quantise, Rescale, Whiten


def from_pixels(
    grey_levels: int, *, shift: float = 0.0, dequantise: Transform | None = None
) -> dict[str, Transform]:
    """8-bit pixels to grey levels, with noise, to an interval of length 1.

    Args:
        grey_levels: Grey levels of each channel.
        shift: Where the interval starts.
        dequantise: What adds the noise; uniform noise without it.

    Returns:
        The steps by name.
    """
    quantise = {"quantise": Quantise(grey_levels)} if grey_levels < 256 else {}
    return {
        **quantise,
        "dequantise": dequantise or Dequantise(grey_levels),
        "rescale": Rescale(1 / grey_levels, shift=shift * grey_levels),
    }


def check_events(
    shape: tuple[int, ...] | None, grey_levels: int | None, *, least: int = 2
) -> tuple[int, ...]:
    """The shape of a flow's events, once it is found to be one.

    Args:
        shape: Of vectors, ``(d,)``, or of images, ``(c, h, w)``.
        grey_levels: Of images, where their pixels are integers.
        least: Numbers of an event, at least.

    Returns:
        ``shape``.

    Raises:
        ValueError: If it is neither, or the grey levels are out of range or those of vectors.
    """
    if shape is None:
        raise ValueError("shape: expected (features,) or (channels, height, width), got None")
    if len(shape) not in (1, 3) or min(shape) < 1:
        raise ValueError(
            f"shape: expected (features,) or (channels, height, width), all positive, got {shape}"
        )
    if math.prod(shape) < least:
        raise ValueError(f"shape: expected at least {least} numbers for a coupling, got {shape}")
    if grey_levels is not None and not 2 <= grey_levels <= 256:
        raise ValueError(f"grey_levels: expected 2 to 256, got {grey_levels}")
    if grey_levels is not None and len(shape) == 1:
        raise ValueError(f"grey_levels: expected none for vectors, got {grey_levels}")
    return shape


def first_step(shape: tuple[int, ...], *, whiten: bool) -> dict[str, Transform]:
    """The step that whitens vectors, where it is asked for.

    Args:
        shape: Of an event.
        whiten: Whether it is.

    Returns:
        The step by its name, or nothing.

    Raises:
        ValueError: If it is asked for and events are images.
    """
    if not whiten:
        return {}
    if len(shape) != 1:
        raise ValueError(f"whiten: expected false for images, got true for the shape {shape}")
    return {"whiten": Whiten(shape[0])}


def check_at_least(config: object, least: int, *names: str) -> None:
    """Raise unless fields of a config are at least so large.

    Args:
        config: A family's config.
        least: The smallest value.
        *names: Fields.

    Raises:
        ValueError: If one is smaller.
    """
    for name in names:
        value = getattr(config, name)
        if value < least:
            raise ValueError(f"{name}: expected at least {least}, got {value}")
