"""Every linear map of positive determinant as sixteen couplings of the same two halves."""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
from jaxtyping import Float
from torch import Tensor

from lambent.numerics.linear_coupling import (
    LinearCoupling,
    merged,
    opposite,
    opposite_first,
    product,
)
from lambent.numerics.positive_factors import Factor, positive_factors

_SPREADS = (0.5, 1.0, 2.0)
"""Of the eigenvalues; the bases take them in turn."""

_SINGULAR = 1e10
"""Condition number beyond which a block is taken to have no inverse."""

_ROUNDING = 1e-14
"""Relative size below which a number next to others is taken to be 0."""


def linear_couplings(
    target: Float[Tensor, "n n"], *, bases: int = 20, seed: int = 0
) -> list[LinearCoupling]:
    r"""A linear map as alternating couplings of the two halves of a vector, of constant number.

    With ``T = [[A, B], [C, D]]``, ``S = D - C A^-1 B`` and ``M = A S``,

    ``T = L(C A^-1) diag(A, A^-1) diag(1, M) U(A^-1 B)``,

    where ``U(w)`` adds ``w b`` to the first half and ``L(w)`` adds ``w a`` to the second. A factor
    ``diag(X, X^-1)`` is four additive couplings. ``M = Q_1 diag(s_1) Q_1^-1 Q_2 diag(s_2) Q_2^-1``
    with positive ``s`` (:func:`positive_factors`), and each half of it is seven couplings, of
    which one scales. Where neighbours change the same half they are one, and 16 are left, 14 of
    them additive. If ``M`` is a positive diagonal they are 6. Where ``A`` has no inverse, or ``M``
    is a negative multiple of the identity, one more comes first and makes it generic: 17.

    A determinant below 0 is out of reach whatever the number: a coupling's is the product of its
    scales, which are positive. Change the sign of one coordinate first.

    The work is ``O(bases n^3)``. What limits the accuracy is how far from orthogonal the
    eigenvectors are: of so many random bases the one whose product is nearest to the target is
    kept, and the error still grows with the size.

    Args:
        target: The matrix, of an even size and with a positive determinant.
        bases: How many random bases to try.
        seed: Of the bases.

    Returns:
        The couplings in the order they are applied, in float64.

    Raises:
        ValueError: If the target is not square, of an even size, finite and of positive
            determinant, or ``bases`` is less than 1.

    References:
        That a constant number is enough: F. Koehler, V. Mehta and A. Risteski, "Representational
        aspects of depth and conditioning in normalizing flows", 2021, arXiv:2010.01155. This
        construction is our own.

    Example:
        >>> turn = torch.tensor([[0.0, 1.0], [-1.0, 0.0]])
        >>> couplings = linear_couplings(turn)
        >>> bool(torch.allclose(product(couplings), turn.double()))
        True
    """
    if bases < 1:
        raise ValueError(f"bases: expected at least 1, got {bases}")
    t = _checked(target)
    generator = torch.Generator().manual_seed(seed)
    best: list[LinearCoupling] = []
    least = math.inf
    for i in range(bases):
        found = _attempt(t, _SPREADS[i % len(_SPREADS)], generator)
        error = float((product(found) - t).abs().max()) if found else math.inf
        if error < least:
            best, least = found, error
    if not best:
        raise ValueError(
            f"target: found no way in {bases} bases; its condition number is "
            f"{float(torch.linalg.cond(t)):.3g}"
        )
    return best


def _checked(target: Tensor) -> Tensor:
    """The target in float64, once it is found to be within reach."""
    if target.ndim != 2 or target.shape[0] != target.shape[1]:
        raise ValueError(f"target: expected a square matrix, got shape {tuple(target.shape)}")
    if len(target) % 2 or not len(target):
        raise ValueError(f"target: expected an even size, for two halves, got {len(target)}")
    t = target.detach().cpu().double()
    if not bool(t.isfinite().all()):
        raise ValueError("target: expected finite numbers, got NaN or infinity")
    sign, log_abs = torch.linalg.slogdet(t)
    if float(sign) <= 0:
        size = float(sign) * math.exp(min(float(log_abs), 700.0))
        raise ValueError(
            f"target: expected a determinant above 0, got {size:.3g}; couplings scale by positive "
            "numbers, so no number of them has another: change the sign of one row first"
        )
    return t


def _attempt(t: Tensor, spread: float, generator: torch.Generator) -> list[LinearCoupling]:
    """One draw; nothing if it failed."""
    for before in _starts(len(t) // 2, generator):
        rest = t @ torch.linalg.inv(product(before)) if before else t
        a, m = _blocks(rest)
        if a is not None and not _is_negative(m):
            return _whole(before, rest, a, _second_half(m, spread, generator))
    return []


def _starts(half: int, generator: torch.Generator) -> Iterator[list[LinearCoupling]]:
    """What may come first: nothing, or else a coupling that makes the rest generic."""
    yield []
    z = torch.randn(half, half, dtype=torch.float64, generator=generator)
    z = torch.linalg.qr(z)[0]
    yield [LinearCoupling(1, z)]
    scale = torch.rand(half, dtype=torch.float64, generator=generator).exp()
    yield [LinearCoupling(1, z, scale)]


def _whole(
    before: list[LinearCoupling], t: Tensor, a: Tensor, inner: list[LinearCoupling]
) -> list[LinearCoupling]:
    """What comes first, and the couplings of ``t`` around those of ``diag(1, M)``."""
    if not inner:
        return []
    half, inverse = len(a), torch.linalg.inv(a)
    upper = LinearCoupling(0, torch.linalg.solve(a, t[:half, half:]))
    lower = LinearCoupling(1, t[half:, :half] @ inverse)
    return merged([*before, upper, *inner, *opposite_first(inverse), lower])


def _blocks(t: Tensor) -> tuple[Tensor | None, Tensor]:
    """The block ``A`` and ``M = A (D - C A^-1 B)``; no block if it has no inverse."""
    half = len(t) // 2
    a, b, c, d = t[:half, :half], t[:half, half:], t[half:, :half], t[half:, half:]
    if not float(torch.linalg.cond(a)) < _SINGULAR:
        return None, a
    return a, a @ (d - c @ torch.linalg.solve(a, b))


def _is_negative(m: Tensor) -> bool:
    """Whether a matrix is a negative multiple of the identity, to rounding."""
    size = m.diagonal().mean()
    off = (m - size * torch.eye(len(m), dtype=m.dtype)).abs().max()
    return bool(size < 0) and bool(off < -size / _SINGULAR)


def _second_half(m: Tensor, spread: float, generator: torch.Generator) -> list[LinearCoupling]:
    """``diag(1, M)``; nothing if the draw failed."""
    scale = m.diagonal()
    off = (m - torch.diag(scale)).abs().max()
    if bool((scale > 0).all()) and bool(off <= _ROUNDING * scale.max()):
        return [LinearCoupling(1, torch.zeros_like(m), scale)]
    factors = positive_factors(m, spread, generator)
    if factors is None:
        return []
    return [*_diagonalised(factors[1]), *_diagonalised(factors[0])]


def _diagonalised(factor: Factor) -> list[LinearCoupling]:
    """``diag(1, Q diag(s) Q^-1)``: to the eigenvectors, scale, and back."""
    inverse = torch.linalg.inv(factor.basis)
    balance = (factor.basis.norm() / inverse.norm()).sqrt()
    x = inverse * balance  # so that X and its inverse are of one size
    scaled = LinearCoupling(1, torch.zeros_like(x), factor.values)
    return [*opposite_first(x), scaled, *opposite(x)]
