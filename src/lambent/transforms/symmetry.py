"""Layers that use a symmetry of the data: sign and order."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lambent.core.transform import Transform, sum_event, widened, zero_log_det
from lambent.errors import check_domain
from lambent.types import Context, PerSample, X, Z


class Abs(Transform):
    r"""``z = |x|``, ``V = sum_i ln P(s_i | z)`` with the signs ``s``; back, signs are drawn.

    With fair signs ``V = -D ln 2``, and a flow that starts with it is symmetric. With a network the
    signs are independent given ``z``, ``P(s_i = 1 | z) = sigmoid(net(z)_i)``. Exact either way.
    0 counts as positive. ``decode`` takes the more probable sign. The caller's context is not read.

    Args:
        net: The logits of a positive sign, ``net(z)``, as wide as ``z``; fair signs if not given.

    Shape:
        ``(b, *)`` both ways.

    Raises:
        DomainError: If a latent to be undone is below 0.

    References:
        D. Nielsen et al., "SurVAE Flows", 2020, arXiv:2007.02731.

    Example:
        >>> Abs()(torch.tensor([[1.0, -2.0]]))
        (tensor([[1., 2.]]), tensor([-1.3863]))
    """

    stochastic_inverse = True

    def __init__(self, net: nn.Module | None = None) -> None:
        super().__init__()
        self.net = net

    def _logits(self, z: Tensor) -> Tensor:
        return torch.zeros_like(z) if self.net is None else widened(self.net(z)).reshape(z.shape)

    def forward(self, x: X, context: Context | None = None) -> tuple[Z, PerSample]:
        """Drop the signs."""
        z = x.abs()
        return z, sum_event(F.logsigmoid(torch.where(x >= 0, 1.0, -1.0) * self._logits(z)))

    def inverse(self, z: Z, context: Context | None = None) -> tuple[X, PerSample]:
        """Draw the signs."""
        check_domain(z >= 0, "z: expected numbers of at least 0, got one below")
        logits = self._logits(z)
        signs = torch.where(torch.rand_like(z) < torch.sigmoid(logits), 1.0, -1.0).to(z.dtype)
        return signs * z, -sum_event(F.logsigmoid(signs * logits))

    def encode(self, x: X, context: Context | None = None) -> Z:
        """Drop the signs; the network is not asked."""
        return x.abs()

    def decode(self, z: Z, context: Context | None = None) -> X:
        """Take the more probable signs."""
        check_domain(z >= 0, "z: expected numbers of at least 0, got one below")
        return torch.where(self._logits(z) >= 0, z, -z)


class Sort(Transform):
    r"""The numbers of a vector in rising order; back, in a random one: ``V = -ln n!``.

    For vectors whose order says nothing (exchangeable ones) the likelihood is exact. The density of
    what follows must lie on rising vectors; :class:`Gaps` takes those to all vectors.

    Shape:
        ``(b, n)`` both ways.

    Raises:
        DomainError: If a latent to be undone is not in rising order.

    References:
        D. Nielsen et al., "SurVAE Flows", 2020, arXiv:2007.02731.

    Example:
        >>> Sort()(torch.tensor([[3.0, 1.0]]))
        (tensor([[1., 3.]]), tensor([-0.6931]))
    """

    stochastic_inverse = True

    def _orders(self, x: Tensor) -> Tensor:
        """The log of the number of orders, ``(b,)``."""
        return zero_log_det(x) + math.lgamma(x.shape[1] + 1)

    def forward(self, x: X, context: Context | None = None) -> tuple[Z, PerSample]:
        """Sort."""
        return x.sort(1).values, -self._orders(x)

    def inverse(self, z: Z, context: Context | None = None) -> tuple[X, PerSample]:
        """Shuffle."""
        order = torch.rand(z.shape, device=z.device).argsort(1)
        return self.decode(z).gather(1, order), self._orders(z)

    def decode(self, z: Z, context: Context | None = None) -> X:
        """Leave the order as it is."""
        check_domain(z.diff(dim=1) >= 0, "z: expected numbers in rising order, got others")
        return z


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
        order = torch.rand(x.shape[:2], device=x.device).argsort(1)
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
