"""Layers that take the order of numbers, or of points, away."""

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


class Sort(Transform):
    r"""The numbers of a vector in rising order, ``V = log P(o | z)``; back, the order is drawn.

    The order ``o`` says which of the sorted numbers stands at a place: ``x_i = z_(o_i)``. Where all
    orders are equally probable ``V = -ln n!``, for vectors whose order says nothing (exchangeable
    ones). The likelihood is exact where ``P`` is. The density of what follows must lie on rising
    vectors; :class:`Gaps` takes those to all vectors. ``decode`` draws the order at temperature 0,
    and leaves equally probable ones as they are.

    Args:
        orders: ``P``, over orders ``(n,)`` of the integers ``0 ... n - 1``, such as a
            :class:`~lambent.distributions.PlackettLuce`. Its context is ``z``, or
            ``(z, *context)`` where the caller gives one. All equally probable if not given.

    Shape:
        ``(b, n)`` both ways.

    Raises:
        ValueError: If the orders are of vectors of another size.
        DomainError: If a latent to be undone is not in rising order.

    References:
        D. Nielsen et al., "SurVAE Flows", 2020, arXiv:2007.02731.

    Example:
        >>> Sort()(torch.tensor([[3.0, 1.0]]))
        (tensor([[1., 3.]]), tensor([-0.6931]))
    """

    stochastic_inverse = True

    def __init__(self, orders: Distribution | None = None) -> None:
        super().__init__()
        self.orders = orders

    def forward(self, x: X, context: Context | None = None) -> tuple[Z, PerSample]:
        """Sort."""
        self.forward_shape(tuple(x.shape[1:]))
        z, places = x.sort(1)
        if self.orders is None:
            return z, -self._ways(z)
        return z, self.orders(places.argsort(1), with_context(z, context))

    def inverse(self, z: Z, context: Context | None = None) -> tuple[X, PerSample]:
        """Draw an order."""
        self._check(z)
        if self.orders is None:
            return z.gather(1, any_order(z)), self._ways(z)
        order, log_prob = self.orders.rsample_and_log_prob(None, with_context(z, context))
        return z.gather(1, order.long()), -log_prob

    def encode(self, x: X, context: Context | None = None) -> Z:
        """Sort; the law of the orders is not asked."""
        self.forward_shape(tuple(x.shape[1:]))
        return x.sort(1).values

    def decode(self, z: Z, context: Context | None = None) -> X:
        """Take the order from the centre of its law."""
        self._check(z)
        if self.orders is None:
            return z
        order = self.orders.rsample(None, with_context(z, context), temperature=0.0)
        return z.gather(1, order.long())

    def _check(self, z: Tensor) -> None:
        self.inverse_shape(tuple(z.shape[1:]))
        check_domain(z.diff(dim=1) >= 0, "z: expected numbers in rising order, got others")

    @staticmethod
    def _ways(z: Tensor) -> Tensor:
        """The log of the number of orders, ``(b,)``."""
        return zero_log_det(z) + math.lgamma(z.shape[1] + 1)

    def forward_shape(self, shape: Size) -> Size:
        """The same, which is that of the orders."""
        check_events("orders", self.orders, shape)
        return shape

    def inverse_shape(self, shape: Size) -> Size:
        """The same, which is that of the orders."""
        return self.forward_shape(shape)

    @property
    def likelihood(self) -> Likelihood:
        """That of the law of the orders."""
        own = super().likelihood
        return own if self.orders is None else worst(own, self.orders.likelihood)


class StochasticPermutation(Transform):
    r"""The elements of a set in a random order, both ways, ``V = 0``.

    After it, any density is a bound for one that does not depend on the order: ``V`` is the log of
    ``1/n!`` one way over that of ``1/n!`` the other. ``encode`` and ``decode`` keep the order.

    Shape:
        ``(b, n, *)`` both ways; the second axis is permuted.

    References:
        D. Nielsen et al., "SurVAE Flows", 2020, arXiv:2007.02731.

    Example:
        >>> StochasticPermutation()(torch.zeros(2, 5, 3))[0].shape
        torch.Size([2, 5, 3])
    """

    stochastic_forward = True
    stochastic_inverse = True

    def forward(self, x: X, context: Context | None = None) -> tuple[Z, PerSample]:
        """Shuffle."""
        order = any_order(x)
        rows = torch.arange(len(x), device=x.device)[:, None]
        return x[rows, order], zero_log_det(x)

    def inverse(self, z: Z, context: Context | None = None) -> tuple[X, PerSample]:
        """Shuffle."""
        return self.forward(z)

    def encode(self, x: X, context: Context | None = None) -> Z:
        """Leave the order as it is."""
        return x

    def decode(self, z: Z, context: Context | None = None) -> X:
        """Leave the order as it is."""
        return z


def any_order(x: Tensor) -> Tensor:
    """An order of the second axis for each event, ``(b, n)``, each as probable as any other."""
    return torch.rand(x.shape[:2], device=x.device).argsort(1)
