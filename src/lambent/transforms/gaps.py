"""From vectors in rising order to all vectors."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from lambent.core.transform import Transform, sum_event
from lambent.errors import check_domain
from lambent.transforms.positive import inverse_softplus
from lambent.types import Context, PerSample, X, Z


class Gaps(Transform):
    r"""``z_1 = x_1``, ``z_i = softplus^-1(x_i - x_(i-1))``: the gaps of a rising vector, unbound.

    ``V = -sum_(i > 1) ln sigmoid(z_i)``. What :class:`Sort` leaves becomes any vector.

    Shape:
        ``(b, n)`` both ways.

    Raises:
        DomainError: If an event does not rise: dequantise data with ties first.

    Example:
        >>> Gaps().inverse(torch.zeros(1, 3))[0]
        tensor([[0.0000, 0.6931, 1.3863]])
    """

    cheap_inverse = True

    def _log_det(self, gaps: Tensor) -> Tensor:
        return -sum_event(F.logsigmoid(gaps))

    def forward(self, x: X, context: Context | None = None) -> tuple[Z, PerSample]:
        """Take the gaps."""
        gaps = x.diff(dim=1)
        check_domain(gaps > 0, "x: expected numbers in strictly rising order, got others")
        gaps = inverse_softplus(gaps)
        return torch.cat((x[:, :1], gaps), 1), self._log_det(gaps)

    def inverse(self, z: Z, context: Context | None = None) -> tuple[X, PerSample]:
        """Add the gaps up."""
        gaps = z[:, 1:]
        x = torch.cat((z[:, :1], F.softplus(gaps)), 1).cumsum(1)
        return x, -self._log_det(gaps)
