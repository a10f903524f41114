"""From pixels to grey levels, and from levels to the unit range."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from lambent.core.transform import Transform, zero_log_det
from lambent.data.levels import level_of, pixel_of
from lambent.errors import check_domain
from lambent.types import Context, PerSample, X, Z


def check_integers(x: Tensor, levels: int) -> None:
    """Raise unless ``x`` holds integers in ``0 ... levels - 1``.

    Args:
        x: Any tensor.
        levels: How many integers there are.

    Raises:
        DomainError: If it holds floats, or integers out of range.
    """
    if x.is_floating_point():
        check_domain(
            torch.zeros((), dtype=torch.bool),
            f"x: expected integers 0 to {levels - 1}, got {x.dtype}",
        )
    if not (x.dtype == torch.uint8 and levels == 256):
        inside = (x >= 0) & (x.long() < levels)  # int8 cannot hold 256 to compare with
        check_domain(inside, f"x: expected integers 0 to {levels - 1}, got values outside")


class Quantise(Transform):
    r"""8-bit pixels to ``n`` grey levels: ``z = floor(x n / 256)``, and back ``ceil(256 z / n)``.

    The one exception to the ledger: it throws information away and counts ``V = 0``, so what comes
    after it is the likelihood *of the image at n grey levels*. Quantising what ``inverse`` returns
    gives the level back for every ``n``; for powers of two the pixel is the released Glow's.

    Args:
        grey_levels: ``n``, 1 to 256.

    Shape:
        ``(b, *)`` uint8 both ways.

    Raises:
        ValueError: If ``grey_levels`` is out of range.
        DomainError: If ``x`` does not hold integers 0 to 255.
    """

    stochastic_inverse = True  # nothing is drawn, but inverse(forward(x)) may differ from x

    def __init__(self, grey_levels: int) -> None:
        super().__init__()
        if not 1 <= grey_levels <= 256:
            raise ValueError(f"grey_levels: expected 1 to 256, got {grey_levels}")
        self.grey_levels = grey_levels

    def forward(self, x: X, context: Context | None = None) -> tuple[Z, PerSample]:
        """The level of each pixel."""
        check_integers(x, 256)
        return level_of(x, self.grey_levels).to(torch.uint8), zero_log_det(x)

    def inverse(self, z: Z, context: Context | None = None) -> tuple[X, PerSample]:
        """The smallest pixel of each level."""
        return pixel_of(z, self.grey_levels).to(torch.uint8), zero_log_det(z)

    def extra_repr(self) -> str:
        """What ``repr`` shows."""
        return f"{self.grey_levels}"


class Rescale(Transform):
    r"""A fixed affine map: ``z = (x + shift) scale``, ``V = D ln |scale|``.

    Args:
        scale: Factor, not 0.
        shift: Added first.

    Shape:
        ``(b, *)`` both ways.

    Raises:
        ValueError: If ``scale`` is 0.
    """

    cheap_inverse = True

    def __init__(self, scale: float, shift: float = 0.0) -> None:
        super().__init__()
        if scale == 0:
            raise ValueError("scale: expected a number other than 0, got 0")
        self.scale = scale
        self.shift = shift

    def _log_det(self, x: Tensor) -> Tensor:
        return zero_log_det(x) + math.prod(x.shape[1:]) * math.log(abs(self.scale))

    def forward(self, x: X, context: Context | None = None) -> tuple[Z, PerSample]:
        """Shift, then scale."""
        return (x + self.shift) * self.scale, self._log_det(x)

    def inverse(self, z: Z, context: Context | None = None) -> tuple[X, PerSample]:
        """Undo the scale, then the shift."""
        return z / self.scale - self.shift, -self._log_det(z)

    def extra_repr(self) -> str:
        """What ``repr`` shows."""
        return f"scale={self.scale:g}, shift={self.shift:g}"
