"""The planar flow: a push along one vector, by how far along another an event lies."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lambent.core.amortise import shifted
from lambent.core.transform import Transform, check_context
from lambent.numerics import increasing_root
from lambent.types import Context, PerSample, X, Z

_MARGIN = 0.01  # the slope along w stays above this, so the inverse loses two digits at most
_AT_ZERO = math.log(math.expm1(1 - _MARGIN))


def above_minus_one(raw: Tensor) -> Tensor:
    """``-1 + 0.01 + softplus(raw + c)``: 0 at 0, and always above -0.99."""
    return F.softplus(raw + _AT_ZERO) - (1 - _MARGIN)


class Planar(Transform):
    r"""``z = x + u' tanh(w.x + b)``; ``V = ln(1 + w.u' tanh'(w.x + b))``.

    ``u' = u + (m(w.u) - w.u) w / |w|^2`` with ``m(a) = -0.99 + softplus(a + c)``, so that ``w.u'``
    stays above -0.99 and the map invertible; ``c`` makes ``m(0) = 0``: unlike the paper's, the map
    is the identity where ``u`` is 0, as at the start. Both directions cost ``d``. The inverse finds
    ``a = w.x`` from the one increasing equation ``w.z = a + w.u' tanh(a + b)``.

    Args:
        features: Numbers of a vector, ``d``.
        net: A module ``net(context) -> (b, 2 d + 1)`` whose output is added to ``u``, ``w`` and
            ``b``; without it the context is not read.

    Shape:
        ``(b, d)`` both ways.

    Raises:
        ValueError: If ``features`` is less than 1.

    References:
        D. Rezende and S. Mohamed, "Variational Inference with Normalizing Flows", 2015,
        arXiv:1505.05770, eq. 10 to 12 and appendix A.1.

    Example:
        >>> Planar(3).bijective
        True
    """

    def __init__(self, features: int, *, net: nn.Module | None = None) -> None:
        super().__init__()
        if features < 1:
            raise ValueError(f"features: expected at least 1, got {features}")
        self.u = nn.Parameter(torch.zeros(features))
        self.w = nn.Parameter(torch.randn(features) / math.sqrt(features))
        self.b = nn.Parameter(torch.zeros(1))
        self.net = net

    def _params(self, x: Tensor, context: Context | None) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """``u'`` and ``w``, ``(b, d)``, ``w.u'`` and ``b``, ``(b,)``; ``b`` may be 1."""
        check_context(x, context)
        u, w, b = shifted((self.u, self.w, self.b), self.net, context)
        along = (w * u).sum(1)
        allowed = above_minus_one(along)
        squared = w.square().sum(1).clamp(min=torch.finfo(w.dtype).tiny)
        u = u + ((allowed - along) / squared)[:, None] * w
        return u, w, allowed, b[:, 0]

    def forward(self, x: X, context: Context | None = None) -> tuple[Z, PerSample]:
        """Push."""
        u, w, along, b = self._params(x, context)
        bent = torch.tanh((w * x).sum(1) + b)
        return x + u * bent[:, None], torch.log1p(along * (1 - bent.square()))

    def inverse(self, z: Z, context: Context | None = None) -> tuple[X, PerSample]:
        """Find how far along ``w`` the event lies, then undo the push."""
        u, w, along, b = self._params(z, context)

        def far(a: Tensor) -> tuple[Tensor, Tensor]:
            bent = torch.tanh(a + b)
            return a + along * bent, torch.log1p(along * (1 - bent.square()))

        y, most = (w * z).sum(1), along.detach().abs()
        a = increasing_root(far, y, y.detach() - most, y.detach() + most)
        bent = torch.tanh(a + b)
        return z - u * bent[:, None], -torch.log1p(along * (1 - bent.square()))

    def extra_repr(self) -> str:
        """What ``repr`` shows."""
        return f"{len(self.u)}"
