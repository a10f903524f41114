"""From the unit interval to the whole line."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from lambent.core.transform import Transform, sum_event
from lambent.errors import check_domain
from lambent.types import Context, PerSample, X, Z


class Logit(Transform):
    r"""``z = logit(alpha + (1 - 2 alpha) x)``, which takes ``[0, 1]`` to a bounded interval.

    ``V = sum_i [softplus(z_i) + softplus(-z_i) + ln(1 - 2 alpha)]``. A latent outside that
    interval comes back a little below 0 or above 1.

    Args:
        alpha: Distance kept from 0 and 1, from 0 to less than 1/2. At 0 the ends themselves have
            no image.

    Shape:
        ``(b, *)`` both ways.

    Raises:
        ValueError: If ``alpha`` is out of range.
        DomainError: If ``alpha + (1 - 2 alpha) x`` is not between 0 and 1.

    References:
        L. Dinh et al., "Density estimation using Real NVP", 2017, arXiv:1605.08803, section 4.1;
        in the two-sided form of the authors' code.
    """

    cheap_inverse = True

    def __init__(self, alpha: float = 0.05) -> None:
        super().__init__()
        if not 0 <= alpha < 0.5:
            raise ValueError(f"alpha: expected 0 up to less than 0.5, got {alpha}")
        self.alpha = alpha
        self.width = 1 - 2 * alpha

    def _log_det(self, z: Tensor) -> Tensor:
        return sum_event(F.softplus(z) + F.softplus(-z) + math.log(self.width))

    def forward(self, x: X, context: Context | None = None) -> tuple[Z, PerSample]:
        """Squeeze towards 1/2, then stretch."""
        inner = self.alpha + self.width * x
        check_domain(
            (inner > 0) & (inner < 1),
            f"x: expected numbers from 0 to 1 for a logit of alpha {self.alpha:g}, "
            "got others (or an end itself with alpha 0)",
        )
        z = torch.log(inner) - torch.log1p(-inner)
        return z, self._log_det(z)

    def inverse(self, z: Z, context: Context | None = None) -> tuple[X, PerSample]:
        """Undo both."""
        return (torch.sigmoid(z) - self.alpha) / self.width, -self._log_det(z)

    def extra_repr(self) -> str:
        """What ``repr`` shows."""
        return f"{self.alpha:g}"
