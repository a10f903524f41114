"""Space to channels."""

from __future__ import annotations

import torch.nn.functional as F

from lambent.core.transform import Transform, zero_log_det
from lambent.types import Context, PerSample, Size, X, Z


class Squeeze(Transform):
    """Every f x f cell becomes f^2 channels: output channel ``f^2 c + f r + s`` is row r, column s.

    ``V = 0``.

    Args:
        factor: Side ``f`` of a cell.

    Shape:
        ``(b, c, h, w)`` to ``(b, f^2 c, h / f, w / f)``.

    References:
        L. Dinh et al., "Density estimation using Real NVP", 2017, arXiv:1605.08803, section 3.6.

    Example:
        >>> Squeeze().forward_shape((3, 32, 32))
        (12, 16, 16)
    """

    cheap_inverse = True

    def __init__(self, factor: int = 2) -> None:
        super().__init__()
        if factor < 1:
            raise ValueError(f"factor: expected at least 1, got {factor}")
        self.factor = factor

    def forward(self, x: X, context: Context | None = None) -> tuple[Z, PerSample]:
        """Gather each cell."""
        return F.pixel_unshuffle(x, self.factor), zero_log_det(x)

    def inverse(self, z: Z, context: Context | None = None) -> tuple[X, PerSample]:
        """Spread each cell."""
        return F.pixel_shuffle(z, self.factor), zero_log_det(z)

    def forward_shape(self, shape: Size) -> Size:
        """More channels, less height and width.

        Args:
            shape: ``(c, h, w)``.

        Returns:
            ``(f^2 c, h / f, w / f)``.

        Raises:
            ValueError: If the factor does not divide height and width.
        """
        channels, height, width = shape
        factor = self.factor
        if height % factor or width % factor:
            raise ValueError(
                f"shape: expected a height and width that {factor} divides, got {height} x {width}"
            )
        return factor**2 * channels, height // factor, width // factor

    def inverse_shape(self, shape: Size) -> Size:
        """Fewer channels, more height and width.

        Args:
            shape: ``(c, h, w)``.

        Returns:
            ``(c / f^2, f h, f w)``.

        Raises:
            ValueError: If ``f^2`` does not divide the channels.
        """
        channels, height, width = shape
        if channels % self.factor**2:
            raise ValueError(
                f"shape: expected a number of channels that {self.factor**2} divides, "
                f"got {channels}"
            )
        return channels // self.factor**2, self.factor * height, self.factor * width

    def extra_repr(self) -> str:
        """What ``repr`` shows."""
        return f"{self.factor}"
