"""A matrix of positive determinant as a product of two whose eigenvalues are positive."""

from __future__ import annotations

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

_TRIES = 16
"""Random directions looked at for each pivot."""


class Factor(NamedTuple):
    """A matrix as its eigenvectors and its eigenvalues, ``basis diag(values) basis^-1``."""

    basis: Tensor
    """``(d, d)``, the columns of norm 1."""
    values: Tensor
    """``(d,)``, positive and distinct."""


def positive_factors(
    m: Float[Tensor, "d d"], spread: float, generator: torch.Generator
) -> tuple[Factor, Factor] | None:
    r"""``M = B C`` with positive distinct eigenvalues in both factors, in a random way.

    In a basis ``P`` in which elimination without exchanges has positive pivots ``mu``,
    ``P^-1 M P = L diag(mu) R`` with unit triangular ``L`` and ``R``; then
    ``B = P L diag(b) P^-1`` and ``C = P diag(c) R P^-1`` with ``b c = mu`` have the eigenvalues
    ``b`` and ``c``. Any split of ``mu`` with distinct ``b`` and distinct ``c`` will do.

    Args:
        m: The matrix, float64; its determinant is positive, and it is no multiple of the identity.
        spread: Neighbouring ``b`` differ by the factor ``e^spread``.
        generator: Of the basis.

    Returns:
        ``B`` and ``C``; None if this draw met a pivot of 0, or eigenvalues that all but coincide.

    References:
        A. R. Sourour, "A factorization theorem for matrices", 1986, Linear and Multilinear Algebra
        19, theorem 1.
    """
    d = len(m)
    basis, pivots = _positive_pivots(m, generator)
    if not bool((pivots > 0).all() and pivots.isfinite().all()):
        return None
    lower, upper = _eliminated(torch.linalg.solve(basis, m @ basis))
    steps = spread * (torch.arange(d, dtype=m.dtype) - (d - 1) / 2)
    b = (pivots.log().mean() / 2 + steps).exp()
    c = pivots / b
    found = _factor(basis, lower * b), _factor(basis, c[:, None] * upper)
    return None if found[0] is None or found[1] is None else (found[0], found[1])


def _positive_pivots(m: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """A basis in which the pivots of elimination are positive, and the pivots.

    With ``v`` first and ``w = M v - mu v`` second in the basis, the first pivot is ``mu``; what
    elimination leaves is treated alike. A ``v`` with ``v' M v > 0`` gives a ``w`` at right angles.
    """
    d = len(m)
    if d == 1:
        return torch.ones_like(m), m[0]
    tries = torch.randn(_TRIES, d, dtype=m.dtype, generator=generator)
    tries = tries / tries.norm(dim=1, keepdim=True)
    forms = (tries @ m * tries).sum(1)
    wanted = (torch.linalg.slogdet(m)[1] / d).exp()
    best = (forms.clamp_min(torch.finfo(m.dtype).tiny).log() - wanted.log()).abs().argmin()
    v, form = tries[best], forms[best]
    pivot = form if form > 0 else wanted
    w = m @ v - pivot * v
    rest = torch.linalg.qr(torch.stack((v, w), 1), mode="complete")[0][:, 2:]
    here = torch.cat((v[:, None], (w / w.norm())[:, None], rest), 1)
    inside = torch.linalg.solve(here, m @ here)
    left = inside[1:, 1:] - inside[1:, :1] * inside[:1, 1:] / inside[0, 0]
    below, pivots = _positive_pivots(left, generator)
    basis = torch.cat((here[:, :1], here[:, 1:] @ below), 1)
    return basis, torch.cat((inside[:1, 0], pivots))


def _eliminated(m: Tensor) -> tuple[Tensor, Tensor]:
    """Unit triangular ``L`` and ``R`` with ``m = L diag(pivots) R``, without exchanges."""
    unit = torch.eye(len(m), dtype=m.dtype)
    lower, upper, left = unit.clone(), unit.clone(), m.clone()
    for i in range(len(m) - 1):
        lower[i + 1 :, i] = left[i + 1 :, i] / left[i, i]
        upper[i, i + 1 :] = left[i, i + 1 :] / left[i, i]
        left[i + 1 :, i + 1 :] -= lower[i + 1 :, i : i + 1] * left[i : i + 1, i + 1 :]
    return lower, upper


def _factor(basis: Tensor, triangular: Tensor) -> Factor | None:
    """Eigenvectors and eigenvalues of a triangular matrix that is given in a basis."""
    values, vectors = torch.linalg.eig(triangular)
    if bool((values.imag != 0).any()) or not bool((values.real > 0).all()):
        return None
    columns = basis @ vectors.real
    return Factor(columns / columns.norm(dim=0), values.real)
