"""The radial flow: a pull to a point, or a push away from it."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lambent.core.amortise import shifted
from lambent.core.transform import Transform, check_context
from lambent.transforms.planar import above_minus_one
from lambent.types import Context, PerSample, X, Z

_LEAST_RADIUS = 1e-3  # alpha stays above it: the slope changes over a distance of alpha


class Radial(Transform):
    r"""``z = x + beta / (alpha + r) (x - c)`` with ``r = |x - c|``.

    ``V = (d - 1) ln(1 + beta / (alpha + r)) + ln(1 + alpha beta / (alpha + r)^2)``. With
    ``alpha = 0.001 + softplus(s)`` and ``beta = alpha m(t)``, ``m`` as in
    :class:`~lambent.transforms.Planar`, ``beta`` stays above ``-0.99 alpha`` and the map
    invertible; it is the identity at ``t = 0``, as at the start. Both directions cost ``d``: the
    inverse finds ``r`` from ``|z - c| = r + r beta / (alpha + r)``, which increases with ``r`` and
    is quadratic in it.

    Args:
        features: Numbers of a vector, ``d``.
        net: A module ``net(context) -> (b, d + 2)`` whose output is added to ``c``, ``s`` and
            ``t``; without it the context is not read.

    Shape:
        ``(b, d)`` both ways.

    Raises:
        ValueError: If ``features`` is less than 1.

    References:
        D. Rezende and S. Mohamed, "Variational Inference with Normalizing Flows", 2015,
        arXiv:1505.05770, eq. 14 and appendix A.2.

    Example:
        >>> Radial(3).bijective
        True
    """

    def __init__(self, features: int, *, net: nn.Module | None = None) -> None:
        super().__init__()
        if features < 1:
            raise ValueError(f"features: expected at least 1, got {features}")
        self.centre = nn.Parameter(torch.randn(features))
        self.raw_alpha = nn.Parameter(torch.full((1,), math.log(math.expm1(1.0))))
        self.raw_beta = nn.Parameter(torch.zeros(1))
        self.net = net

    def _params(self, x: Tensor, context: Context | None) -> tuple[Tensor, Tensor, Tensor]:
        """The point ``(b, d)``, ``alpha`` and ``beta`` ``(b,)``; ``b`` may be 1."""
        check_context(x, context)
        own = (self.centre, self.raw_alpha, self.raw_beta)
        centre, raw_alpha, raw_beta = shifted(own, self.net, context)
        alpha = _LEAST_RADIUS + F.softplus(raw_alpha[:, 0])
        return centre, alpha, alpha * above_minus_one(raw_beta[:, 0])

    def forward(self, x: X, context: Context | None = None) -> tuple[Z, PerSample]:
        """Pull or push."""
        centre, alpha, beta = self._params(x, context)
        away = x - centre
        log_det, stretch = self._stretch(torch.linalg.vector_norm(away, dim=1), alpha, beta)
        return centre + away * stretch[:, None], log_det

    def inverse(self, z: Z, context: Context | None = None) -> tuple[X, PerSample]:
        """Find the distance, then undo the pull or push."""
        centre, alpha, beta = self._params(z, context)
        away = z - centre
        rho = torch.linalg.vector_norm(away, dim=1)
        # r^2 + half r - alpha rho = 0, by the one of two equal forms that does not cancel.
        half = alpha + beta - rho
        root = (half.square() + 4 * alpha * rho).sqrt()
        below = torch.where(half >= 0, half + root, 1.0)
        r = torch.where(half >= 0, 2 * alpha * rho / below, (root - half) / 2)
        log_det, stretch = self._stretch(r, alpha, beta)
        return centre + away / stretch[:, None], -log_det

    def _stretch(self, r: Tensor, alpha: Tensor, beta: Tensor) -> tuple[Tensor, Tensor]:
        """``V``, and the factor by which the distance ``r`` grows."""
        near = beta / (alpha + r)
        across = (len(self.centre) - 1) * torch.log1p(near)
        return across + torch.log1p(near * alpha / (alpha + r)), 1 + near

    def extra_repr(self) -> str:
        """What ``repr`` shows."""
        return f"{len(self.centre)}"
