"""Absolute values, for data that are symmetric but for the sign."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from lambent.core.compose import worst
from lambent.core.distribution import Distribution
from lambent.core.kept import check_events, with_context
from lambent.core.transform import Transform, zero_log_det
from lambent.errors import check_domain
from lambent.types import Context, Likelihood, PerSample, Size, X, Z


class Abs(Transform):
    r"""``z = |x|``, ``V = log P(s | z)`` with the signs ``s``; back, signs are drawn.

    With fair signs ``V = -D ln 2``, and a flow that starts with it is symmetric. With any other
    ``P`` the absolute values are, and the likelihood is exact where ``P`` is. 0 counts as positive.
    ``decode`` draws the signs at temperature 0, and leaves fair ones positive.

    Args:
        signs: ``P``, over events of the shape of ``x``, 1 where a number is positive, else 0; such
            as a :class:`~lambent.distributions.Bernoulli`. Its context is ``z``, or
            ``(z, *context)`` where the caller gives one. Fair signs if not given.

    Shape:
        ``(b, *)`` both ways.

    Raises:
        ValueError: If the signs are of other events.
        DomainError: If a latent to be undone is below 0.

    References:
        D. Nielsen et al., "SurVAE Flows", 2020, arXiv:2007.02731.

    Example:
        >>> Abs()(torch.tensor([[1.0, -2.0]]))
        (tensor([[1., 2.]]), tensor([-1.3863]))
    """

    stochastic_inverse = True

    def __init__(self, signs: Distribution | None = None) -> None:
        super().__init__()
        self.signs = signs

    def forward(self, x: X, context: Context | None = None) -> tuple[Z, PerSample]:
        """Drop the signs."""
        z = self.encode(x)
        if self.signs is None:
            return z, -self._ways(z)
        return z, self.signs((x >= 0).to(z.dtype), with_context(z, context))

    def inverse(self, z: Z, context: Context | None = None) -> tuple[X, PerSample]:
        """Draw the signs."""
        self._check(z)
        if self.signs is None:
            return torch.where(torch.rand_like(z) < 0.5, z, -z), self._ways(z)
        signs, log_prob = self.signs.rsample_and_log_prob(None, with_context(z, context))
        return torch.where(signs > 0, z, -z), -log_prob

    def encode(self, x: X, context: Context | None = None) -> Z:
        """Drop the signs; their law is not asked."""
        self.forward_shape(tuple(x.shape[1:]))
        return x.abs()

    def decode(self, z: Z, context: Context | None = None) -> X:
        """Take the signs from the centre of their law."""
        self._check(z)
        if self.signs is None:
            return z
        signs = self.signs.rsample(None, with_context(z, context), temperature=0.0)
        return torch.where(signs > 0, z, -z)

    def _check(self, z: Tensor) -> None:
        self.inverse_shape(tuple(z.shape[1:]))
        check_domain(z >= 0, "z: expected numbers of at least 0, got one below")

    @staticmethod
    def _ways(z: Tensor) -> Tensor:
        """The log of the number of ways to choose the signs, ``(b,)``."""
        return zero_log_det(z) + math.prod(z.shape[1:]) * math.log(2)

    def forward_shape(self, shape: Size) -> Size:
        """The same, which is that of the signs."""
        check_events("signs", self.signs, shape)
        return shape

    def inverse_shape(self, shape: Size) -> Size:
        """The same, which is that of the signs."""
        return self.forward_shape(shape)

    @property
    def likelihood(self) -> Likelihood:
        """That of the law of the signs."""
        own = super().likelihood
        return own if self.signs is None else worst(own, self.signs.likelihood)
