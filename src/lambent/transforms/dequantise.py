"""From integers to real numbers by adding noise."""

from __future__ import annotations

import torch
from torch import Tensor

from lambent.core.transform import Transform, zero_log_det
from lambent.errors import check_domain
from lambent.transforms.pixel import check_integers
from lambent.types import Context, PerSample, X, Z


class Dequantise(Transform):
    r"""Uniform dequantisation: ``z = x + u`` with ``u ~ U[0, 1)``; back, ``x = floor(z)``.

    ``V = -log q(u) = 0``, and ``log P(x) >= E_u log p(x + u)``: a flow that starts with it states a
    lower bound. ``encode`` takes the middle of the bin, so that ``decode`` returns every integer.
    The noise stops at ``1 - 2^-16``, because in float32 ``255 + u`` can otherwise round to 256;
    that overstates the bound by at most 2.2e-5 bits per dimension.

    Args:
        levels: The integers are ``0 ... levels - 1``; 1 to 256.

    Shape:
        ``(b, *)`` integers to floats of the module's dtype; back to uint8.

    Raises:
        ValueError: If ``levels`` is out of range.
        DomainError: If ``x`` is not integers in range, or ``z`` to be undone is not finite.

    References:
        L. Theis et al., "A note on the evaluation of generative models", 2016, arXiv:1511.01844.
    """

    stochastic_forward = True
    middle: Tensor

    def __init__(self, levels: int = 256) -> None:
        super().__init__()
        if not 1 <= levels <= 256:
            raise ValueError(f"levels: expected 1 to 256, got {levels}")
        self.levels = levels
        self.register_buffer("middle", torch.tensor(0.5), persistent=False)

    def forward(self, x: X, context: Context | None = None) -> tuple[Z, PerSample]:
        """Add noise."""
        z = self.with_noise(x, torch.rand(x.shape, dtype=self.middle.dtype, device=x.device))
        return z, zero_log_det(z)

    def with_noise(self, x: X, noise: Tensor) -> Z:
        """Add noise that is given, as wide as ``x`` and uniform in ``[0, 1)``."""
        check_integers(x, self.levels)
        return x.to(self.middle.dtype) + noise * (1 - 2.0**-16)

    def encode(self, x: X, context: Context | None = None) -> Z:
        """Move each integer to the middle of its bin."""
        check_integers(x, self.levels)
        return x.to(self.middle.dtype) + self.middle

    def inverse(self, z: Z, context: Context | None = None) -> tuple[X, PerSample]:
        """Round down, and into the range."""
        return integers_of(z, self.levels), zero_log_det(z)

    def extra_repr(self) -> str:
        """What ``repr`` shows."""
        return f"{self.levels}"


def integers_of(z: Tensor, levels: int) -> Tensor:
    """Numbers rounded down, and into the range of the integers.

    Args:
        z: Numbers.
        levels: The integers are ``0 ... levels - 1``.

    Returns:
        The integers, uint8.

    Raises:
        DomainError: If a number is not finite.
    """
    check_domain(z.isfinite(), "z: expected finite numbers, got NaN or infinity")
    return z.floor().clamp(0, levels - 1).to(torch.uint8)
