"""The Sylvester flow: several planar flows at once, made invertible by two triangles."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lambent.core.amortise import shifted
from lambent.core.transform import Transform, check_context, full_precision, sum_event
from lambent.numerics import increasing_root
from lambent.transforms.planar import above_minus_one
from lambent.types import Context, PerSample, X, Z


class Sylvester(Transform):
    r"""``z = x + Q R tanh(S Q^T x + b)`` with ``Q`` of orthonormal columns, ``R`` and ``S`` upper.

    ``V = sum_i ln(1 + r_ii s_ii tanh'(S Q^T x + b)_i)``. ``s_ii = exp(l_i)`` and
    ``r_ii = m(t_i) / s_ii``, ``m`` as in :class:`~lambent.transforms.Planar`, so that
    ``r_ii s_ii`` stays above -0.99 and the map invertible; a sign of ``s_ii`` would say nothing
    that ``r_ii`` does not. ``Q`` is the first ``M`` columns of a product of reflections. At the
    start ``R`` is 0 and the map the identity.

    Forward costs ``d M``. The inverse finds ``v = Q^T x`` from ``Q^T z = v + R tanh(S v + b)``,
    from the last number to the first: ``M`` increasing equations of one number.

    Args:
        features: Numbers of a vector, ``d``.
        units: ``M``, at most ``d``.
        reflections: Householder reflections whose product is ``Q``; ``M`` reach every ``Q``, up to
            signs.
        net: A module ``net(context) -> (b, 2 M^2 + M)`` whose output is added to what ``R``, ``S``
            and ``b`` are made of; without it the context is not read. ``Q`` is the same for all.

    Shape:
        ``(b, d)`` both ways.

    Raises:
        ValueError: If a number is less than 1, or ``units`` more than ``features``.

    References:
        R. van den Berg et al., "Sylvester Normalizing Flows for Variational Inference", 2018,
        arXiv:1803.05649, eq. 13 to 17, theorem 2; T. Joffrain et al., "Accumulating Householder
        Transformations, Revisited", 2006, ACM TOMS 32(2) (the product of reflections).

    Example:
        >>> Sylvester(3, 2).bijective
        True
    """

    def __init__(
        self,
        features: int,
        units: int,
        *,
        reflections: int | None = None,
        net: nn.Module | None = None,
    ) -> None:
        super().__init__()
        if not 1 <= units <= features:
            raise ValueError(f"units: expected 1 to the features, {features}, got {units}")
        count = units if reflections is None else reflections
        if count < 1:
            raise ValueError(f"reflections: expected at least 1, got {count}")
        self.mirrors = nn.Parameter(torch.randn(count, features))
        self.raw_r = nn.Parameter(torch.zeros(units, units))
        self.raw_s = nn.Parameter((torch.randn(units, units) / math.sqrt(units)).fill_diagonal_(0))
        self.b = nn.Parameter(torch.zeros(units))
        self.net = net

    @property
    def basis(self) -> Tensor:
        """``Q``, ``(d, M)``."""
        mirrors = F.normalize(self.mirrors, dim=1)
        features, units = mirrors.shape[1], len(self.b)
        # All reflections at once: H_1 ... H_k = 1 - U^T (striu(U U^T) + 1/2)^-1 U.
        gram = mirrors @ mirrors.T
        upper = gram.triu(1) + 0.5 * torch.eye(len(gram), dtype=gram.dtype, device=gram.device)
        start = torch.eye(features, units, dtype=gram.dtype, device=gram.device)
        solved = torch.linalg.solve_triangular(upper, mirrors[:, :units], upper=True)
        basis: Tensor = start - mirrors.T @ solved
        return basis

    def _params(self, x: Tensor, context: Context | None) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """``R`` and ``S`` ``(b, M, M)``, ``r_ii s_ii`` and ``b`` ``(b, M)``; ``b`` may be 1."""
        check_context(x, context)
        raw_r, raw_s, b = shifted((self.raw_r, self.raw_s, self.b), self.net, context)
        both = above_minus_one(raw_r.diagonal(dim1=1, dim2=2))
        log_s = raw_s.diagonal(dim1=1, dim2=2)
        r = raw_r.triu(1) + torch.diag_embed(both * (-log_s).exp())
        s = raw_s.triu(1) + torch.diag_embed(log_s.exp())
        return r, s, both, b

    def forward(self, x: X, context: Context | None = None) -> tuple[Z, PerSample]:
        """Push along all columns of ``Q``."""
        r, s, both, b = self._params(x, context)
        with full_precision(x):
            q = self.basis
            bent = torch.tanh(_times(s, x @ q) + b)
            z = x + _times(r, bent) @ q.T
        return z, sum_event(torch.log1p(both * (1 - bent.square())))

    def inverse(self, z: Z, context: Context | None = None) -> tuple[X, PerSample]:
        """Find how far along the columns of ``Q`` the event lies, then undo the push."""
        r, s, both, b = self._params(z, context)
        with full_precision(z):
            q = self.basis
            bent = _solve(z @ q, r, s, both, b)
            x = z - _times(r, bent) @ q.T
        return x, -sum_event(torch.log1p(both * (1 - bent.square())))

    def extra_repr(self) -> str:
        """What ``repr`` shows."""
        count, features = self.mirrors.shape
        return f"{features}, units={len(self.b)}, reflections={count}"


def _times(matrix: Tensor, vectors: Tensor) -> Tensor:
    """A matrix, or one for each vector, times vectors ``(b, M)``."""
    return (matrix @ vectors[:, :, None])[:, :, 0]


def _solve(y: Tensor, r: Tensor, s: Tensor, both: Tensor, b: Tensor) -> Tensor:
    """``tanh(S v + b)`` of ``y = v + R tanh(S v + b)``, from the last number to the first."""
    units = y.shape[1]
    known: list[Tensor] = []
    bent: list[Tensor] = []
    for i in reversed(range(units)):
        rest, shift = y[:, i], b[:, i]
        for j, (v, h) in enumerate(zip(known, bent, strict=True), start=i + 1):
            rest = rest - r[:, i, j] * h
            shift = shift + s[:, i, j] * v
        r_i, s_i, both_i, shift_i = r[:, i, i], s[:, i, i], both[:, i], shift

        def along(
            v: Tensor,
            r_i: Tensor = r_i,
            s_i: Tensor = s_i,
            both_i: Tensor = both_i,
            shift_i: Tensor = shift_i,
        ) -> tuple[Tensor, Tensor]:
            h = torch.tanh(s_i * v + shift_i)
            return v + r_i * h, torch.log1p(both_i * (1 - h.square()))

        most, at = r_i.detach().abs(), rest.detach()
        known.insert(0, increasing_root(along, rest, at - most, at + most))
        bent.insert(0, torch.tanh(s_i * known[0] + shift_i))
    return torch.stack(bent, 1)
