"""Space to channels."""

from __future__ import annotations

import torch.nn.functional as F

from lambent.core.transform import Transform, zero_log_det
from lambent.types import Context, PerSample, Size, X, Z


class Squeeze(Transform):
    """Every 2x2 cell becomes four channels: output channel ``4 c + 2 r + s`` is row r, column s.

    ``V = 0``.

    Shape:
        ``(b, c, h, w)`` to ``(b, 4 c, h / 2, w / 2)``.

    References:
        L. Dinh et al., "Density estimation using Real NVP", 2017, arXiv:1605.08803, section 3.6.

    Example:
        >>> Squeeze().forward_shape((3, 32, 32))
        (12, 16, 16)
    """

    cheap_inverse = True

    def forward(self, x: X, context: Context | None = None) -> tuple[Z, PerSample]:
        """Gather each cell."""
        return F.pixel_unshuffle(x, 2), zero_log_det(x)

    def inverse(self, z: Z, context: Context | None = None) -> tuple[X, PerSample]:
        """Spread each cell."""
        return F.pixel_shuffle(z, 2), zero_log_det(z)

    def forward_shape(self, shape: Size) -> Size:
        """Four times the channels, half the height and width.

        Raises:
            ValueError: If height or width is odd.
        """
        channels, height, width = shape
        if height % 2 or width % 2:
            raise ValueError(f"shape: expected an even height and width, got {height} x {width}")
        return 4 * channels, height // 2, width // 2

    def inverse_shape(self, shape: Size) -> Size:
        """A quarter of the channels, twice the height and width.

        Raises:
            ValueError: If the number of channels is not a multiple of 4.
        """
        channels, height, width = shape
        if channels % 4:
            raise ValueError(f"shape: expected a multiple of 4 channels, got {channels}")
        return channels // 4, 2 * height, 2 * width
