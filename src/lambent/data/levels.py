"""Grey levels of 8-bit pixels."""

from __future__ import annotations

from torch import Tensor


def level_of(pixels: Tensor, grey_levels: int) -> Tensor:
    """The level of each pixel, ``floor(x n / 256)``: 0 to 255 gives 0 to ``n - 1``, int32."""
    return pixels.int() * grey_levels // 256


def pixel_of(levels: Tensor, grey_levels: int) -> Tensor:
    """The smallest pixel of each level, ``ceil(256 z / n)``, as integers 0 to 255, int32."""
    return (levels.int() * 256 + grey_levels - 1) // grey_levels


def check_grey_levels(grey_levels: int) -> None:
    """Raise unless a number of grey levels is 2 to 256."""
    if not 2 <= grey_levels <= 256:
        raise ValueError(f"grey_levels: expected 2 to 256, given {grey_levels}")
