"""Activation normalisation: a scale and shift for each channel, set from the first batch."""

from __future__ import annotations

import math

from torch import Tensor

from lambent.core.transform import Transform, zero_log_det
from lambent.nn.affine import ChannelAffine
from lambent.types import Context, PerSample, X, Z


class ActNorm(Transform):
    r"""``z = (x + b) exp(f l)`` for each channel; ``V = (places) sum_c f l_c``.

    :func:`lambent.initialize` sets ``b`` and ``l`` so that each channel of the first batch leaves
    with mean 0 and second moment 1.

    Args:
        channels: Channels ``c``.
        log_scale_factor: ``f``; multiplies the learning rate of the log-scale.

    Shape:
        ``(b, c, *)`` both ways.

    References:
        D. Kingma and P. Dhariwal, "Glow", 2018, arXiv:1807.03039, section 3.1.
    """

    cheap_inverse = True

    def __init__(self, channels: int, *, log_scale_factor: float = 3.0) -> None:
        super().__init__()
        self.affine = ChannelAffine(channels, log_scale_factor=log_scale_factor)

    def _log_det(self, x: Tensor) -> Tensor:
        return zero_log_det(x) + math.prod(x.shape[2:]) * self.affine.log_scale.sum()

    def forward(self, x: X, context: Context | None = None) -> tuple[Z, PerSample]:
        """Shift, then scale."""
        return self.affine(x), self._log_det(x)

    def inverse(self, z: Z, context: Context | None = None) -> tuple[X, PerSample]:
        """Undo the scale, then the shift."""
        return self.affine.inverse(z), -self._log_det(z)
