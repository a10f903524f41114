"""From the whole line to the numbers above 0."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from lambent.core.transform import Transform, sum_event
from lambent.errors import check_domain
from lambent.types import Context, PerSample, X, Z


def inverse_softplus(z: Tensor) -> Tensor:
    """``ln(e^z - 1)`` of numbers above 0, without overflow or loss near 0."""
    return z + torch.log(-torch.expm1(-z))


class Softplus(Transform):
    r"""``z = ln(1 + e^x)``, which takes the line to the numbers above 0.

    ``V = sum_i ln sigmoid(x_i)``. Its ``inv`` takes positive data, or what :class:`Abs` leaves, to
    the line.

    Shape:
        ``(b, *)`` both ways.

    Raises:
        DomainError: If a latent to be undone is not above 0.

    Example:
        >>> Softplus()(torch.zeros(1, 2))[1]
        tensor([-1.3863])
    """

    cheap_inverse = True

    def forward(self, x: X, context: Context | None = None) -> tuple[Z, PerSample]:
        """Bend to above 0."""
        return F.softplus(x), sum_event(F.logsigmoid(x))

    def inverse(self, z: Z, context: Context | None = None) -> tuple[X, PerSample]:
        """Bend back."""
        check_domain(z > 0, "z: expected numbers above 0, got 0 or less, or NaN")
        x = inverse_softplus(z)
        return x, -sum_event(F.logsigmoid(x))
