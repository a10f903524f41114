"""From integers to real numbers by noise that a density of its own has learned."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from lambent.core.distribution import Distribution, check_exact
from lambent.core.kept import with_context
from lambent.core.transform import Transform
from lambent.transforms.dequantise import integers_of
from lambent.transforms.pixel import check_integers
from lambent.types import Context, PerSample, X, Z


class VariationalDequantise(Transform):
    r"""Variational dequantisation: ``z = x + u`` with ``u ~ q(u | x)``; back, ``x = floor(z)``.

    ``V = -ln q(u | x)``, and ``log P(x) >= E_u [log p(x + u) - ln q(u | x)]``: the bound is the
    tighter the nearer ``q`` is to the flow's own density within the bin. ``encode`` takes the
    middle of the bin, so that ``decode`` returns every integer. The noise stops at ``1 - 2^-16``,
    as in :class:`Dequantise`, and its density says so. Forward costs a draw of ``q``, the inverse
    a density of it.

    Args:
        levels: The integers are ``0 ... levels - 1``; 1 to 256.
        noise: ``q``, over events of numbers from 0 to 1. Its context is
            ``(x + 1/2) / levels - 1/2``, of the same shape, and that of the caller behind it, if
            there is one.

    Shape:
        ``(b, *)`` integers to floats of the noise's dtype; back to uint8.

    Raises:
        ValueError: If ``levels`` is out of range, or the noise has no exact density.
        DomainError: If ``x`` is not integers in range, or ``z`` to be undone is not finite.

    References:
        J. Ho et al., "Flow++", 2019, arXiv:1902.00275, section 3.1.

    Example:
        >>> from lambent.flows import noise_flow
        >>> layer = VariationalDequantise(256, noise_flow((1, 4, 4), width=8))
        >>> layer(torch.zeros(2, 1, 4, 4, dtype=torch.uint8))[0].shape
        torch.Size([2, 1, 4, 4])
    """

    stochastic_forward = True
    middle: Tensor

    def __init__(self, levels: int, noise: Distribution) -> None:
        super().__init__()
        if not 1 <= levels <= 256:
            raise ValueError(f"levels: expected 1 to 256, got {levels}")
        check_exact(noise)
        self.levels = levels
        self.noise = noise
        self.register_buffer("middle", torch.tensor(0.5), persistent=False)

    def _given(self, x: Tensor, context: Context | None) -> Context:
        """What the noise is conditional on."""
        middles = (x.to(self.middle.dtype) + self.middle) / self.levels - self.middle
        return with_context(middles, context)

    def forward(self, x: X, context: Context | None = None) -> tuple[Z, PerSample]:
        """Add noise."""
        check_integers(x, self.levels)
        noise, log_density = self.noise.rsample_and_log_prob(None, self._given(x, context))
        return x.to(noise.dtype) + noise * (1 - 2.0**-16), self._stretch(x) - log_density

    def _stretch(self, x: Tensor) -> float:
        """The log-volume of where the noise lies, as it ends at ``1 - 2^-16``: below 0."""
        return math.prod(x.shape[1:]) * math.log1p(-(2.0**-16))

    def encode(self, x: X, context: Context | None = None) -> Z:
        """Move each integer to the middle of its bin."""
        check_integers(x, self.levels)
        return x.to(self.middle.dtype) + self.middle

    def inverse(self, z: Z, context: Context | None = None) -> tuple[X, PerSample]:
        """Round down, and into the range."""
        x = integers_of(z, self.levels)
        eps = torch.finfo(z.dtype).eps
        noise = ((z - x) / (1 - 2.0**-16)).clamp(eps, 1 - eps)  # beyond the range, the nearest
        return x, self.noise(noise, self._given(x, context)) - self._stretch(x)

    def decode(self, z: Z, context: Context | None = None) -> X:
        """Round down, and into the range; the density is not asked."""
        return integers_of(z, self.levels)

    def extra_repr(self) -> str:
        """What ``repr`` shows."""
        return f"{self.levels}"
