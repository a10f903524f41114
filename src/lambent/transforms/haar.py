"""Sums and differences of 2 x 2 blocks."""

from __future__ import annotations

import torch
from torch import Tensor

from lambent.core.transform import Transform, zero_log_det
from lambent.transforms.squeeze import Squeeze
from lambent.types import Context, PerSample, Size, X, Z


class Haar(Transform):
    r"""Every 2 x 2 block of a channel becomes its sum and three differences, all halved.

    Of a block with the rows ``a, b`` and ``c, d``, output channels ``4 c ... 4 c + 3`` are ``(a + b
    + c + d) / 2``, ``(a - b + c - d) / 2``, ``(a + b - c - d) / 2``, ``(a - b - c + d) / 2``: an
    orthogonal matrix that is its own inverse, so ``V = 0``. What blocks hardly differ in, as the
    sums of what an image lacks at half the size, is then a channel with a scale of its own.

    Shape:
        ``(b, c, h, w)`` to ``(b, 4 c, h / 2, w / 2)``.

    References:
        J. Yu, K. Derpanis and M. Brubaker, "Wavelet Flow: Fast Training of High Resolution
        Normalizing Flows", 2020, arXiv:2010.13821, section 3.

    Example:
        >>> Haar()(torch.tensor([[[[1.0, 2.0], [3.0, 4.0]]]]))[0].flatten()
        tensor([ 5., -1., -2.,  0.])
    """

    cheap_inverse = True

    def __init__(self) -> None:
        super().__init__()
        self.cells = Squeeze()

    def forward(self, x: X, context: Context | None = None) -> tuple[Z, PerSample]:
        """Gather each block, then turn it."""
        return _turned(self.cells(x)[0]), zero_log_det(x)

    def inverse(self, z: Z, context: Context | None = None) -> tuple[X, PerSample]:
        """Turn each block back, then spread it."""
        return self.cells.inverse(_turned(z))[0], zero_log_det(z)

    def forward_shape(self, shape: Size) -> Size:
        """More channels, less height and width.

        Args:
            shape: ``(c, h, w)``.

        Returns:
            ``(4 c, h / 2, w / 2)``.
        """
        return self.cells.forward_shape(shape)

    def inverse_shape(self, shape: Size) -> Size:
        """Fewer channels, more height and width.

        Args:
            shape: ``(c, h, w)``.

        Returns:
            ``(c / 4, 2 h, 2 w)``.
        """
        return self.cells.inverse_shape(shape)


def _turned(cells: Tensor) -> Tensor:
    """Sum and differences of every four channels in a row."""
    a, b, c, d = cells.unflatten(1, (-1, 4)).unbind(2)
    turned = torch.stack((a + b + c + d, a - b + c - d, a + b - c - d, a - b - c + d), 2)
    return turned.flatten(1, 2) / 2
