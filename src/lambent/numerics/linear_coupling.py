"""Couplings that are linear: one half of a vector changed by a linear function of the other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor


class LinearCoupling(NamedTuple):
    r"""``(a, b) -> (a, s b + W a)`` of the halves of a vector, or ``(a, b) -> (s a + W b, b)``.

    ``s`` is positive and multiplies each number; the coupling is additive where it is 1.
    """

    changed: int
    """The half that is changed, 0 or 1."""
    weight: Tensor
    """``W``, ``(d, d)``."""
    scale: Tensor | None = None
    """``s``, ``(d,)``; none where it is 1."""

    def matrix(self) -> Float[Tensor, "n n"]:
        """The map as a matrix, ``(2 d, 2 d)``."""
        unit = torch.eye(len(self.weight), dtype=self.weight.dtype)
        scale = unit if self.scale is None else torch.diag(self.scale)
        rows = [(unit, torch.zeros_like(unit)), (self.weight, scale)]
        if self.changed == 0:
            rows = [(scale, self.weight), (torch.zeros_like(unit), unit)]
        return torch.cat([torch.cat(row, 1) for row in rows])


def product(couplings: Sequence[LinearCoupling]) -> Float[Tensor, "n n"]:
    """The map of couplings one after another, the first of them applied first, ``(n, n)``."""
    whole = couplings[0].matrix()
    for coupling in couplings[1:]:
        whole = coupling.matrix() @ whole
    return whole


def merged(couplings: Sequence[LinearCoupling]) -> list[LinearCoupling]:
    """The same map with neighbours that change the same half made one, so that halves alternate.

    ``s' (s b + W a) + W' a = (s' s) b + (s' W + W') a``.
    """
    kept: list[LinearCoupling] = []
    for coupling in couplings:
        if kept and kept[-1].changed == coupling.changed:
            kept.append(_after(coupling, kept.pop()))
        else:
            kept.append(coupling)
    return kept


def _after(second: LinearCoupling, first: LinearCoupling) -> LinearCoupling:
    """Two couplings of one half as one."""
    if second.scale is None:
        return first._replace(weight=first.weight + second.weight)
    scale = second.scale if first.scale is None else second.scale * first.scale
    weight = second.scale[:, None] * first.weight + second.weight
    return LinearCoupling(first.changed, weight, scale)


def opposite(x: Tensor) -> list[LinearCoupling]:
    """``diag(x, x^-1)`` as four additive couplings, the second half changed first.

    ``diag(x, 1/x) = U(x - 1) L(1) U(1/x - 1) L(-x)`` with ``U(w)`` adding ``w b`` to the first
    half and ``L(w)`` adding ``w a`` to the second; a matrix product, the last factor acts first.

    Args:
        x: A matrix with an inverse, ``(d, d)``.

    Returns:
        The couplings, in the order they are applied.
    """
    unit, inverse = torch.eye(len(x), dtype=x.dtype), torch.linalg.inv(x)
    return [
        LinearCoupling(1, -x),
        LinearCoupling(0, inverse - unit),
        LinearCoupling(1, unit),
        LinearCoupling(0, x - unit),
    ]


def opposite_first(x: Tensor) -> list[LinearCoupling]:
    """``diag(x^-1, x)`` as four additive couplings, the first half changed first.

    It is the inverse of :func:`opposite`: ``L(x) U(1 - 1/x) L(-1) U(1 - x)``.

    Args:
        x: A matrix with an inverse, ``(d, d)``.

    Returns:
        The couplings, in the order they are applied.
    """
    return [c._replace(weight=-c.weight) for c in reversed(opposite(x))]
