"""Whitening: a triangular map that takes the first batch's normal to the standard one."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from lambent.core.transform import Transform, full_precision, widened, zero_log_det
from lambent.types import Context, PerSample, X, Z


class Whiten(Transform):
    r"""``z = W (x - m)`` with ``W`` lower triangular, its diagonal ``exp(l)``; ``V = sum_i l_i``.

    :func:`lambent.initialize` sets ``m`` to the first batch's mean and ``W`` to the inverse of the
    Cholesky factor of its covariance. Before a flow that starts as the identity, training starts
    at the normal of full covariance. A batch of no more rows than features tells no covariance:
    it sets the diagonal alone. Both directions cost ``d^2``.

    Args:
        features: Numbers of a vector, ``d``.

    Shape:
        ``(b, d)`` both ways.

    References:
        A. Kessy et al., "Optimal Whitening and Decorrelation", 2018, arXiv:1512.00809 (Cholesky
        whitening).

    Example:
        >>> Whiten(3).forward_shape((3,))
        (3,)
    """

    cheap_inverse = True
    initialized: Tensor

    def __init__(self, features: int) -> None:
        super().__init__()
        if features < 1:
            raise ValueError(f"features: expected at least 1, got {features}")
        self.mean = nn.Parameter(torch.zeros(features))
        self.log_diagonal = nn.Parameter(torch.zeros(features))
        self.lower = nn.Parameter(torch.zeros(features, features))
        self.register_buffer("initialized", torch.tensor(False))

    @property
    def weight(self) -> Tensor:
        """``W``, ``(d, d)``."""
        return self.lower.tril(-1) + torch.diag(self.log_diagonal.exp())

    def centre(self, x: Tensor, context: Context | None) -> Tensor:
        """What is subtracted, ``(d,)`` or a row for each event."""
        return self.mean

    def _log_det(self, x: Tensor) -> Tensor:
        return zero_log_det(x) + widened(self.log_diagonal).sum()

    def forward(self, x: X, context: Context | None = None) -> tuple[Z, PerSample]:
        """Subtract the mean, then multiply."""
        with full_precision(x):
            return (x - self.centre(x, context)) @ self.weight.T, self._log_det(x)

    def inverse(self, z: Z, context: Context | None = None) -> tuple[X, PerSample]:
        """Solve, then add the mean."""
        with full_precision(z):
            centred = torch.linalg.solve_triangular(self.weight, z.T, upper=False).T
            return centred + self.centre(z, context), -self._log_det(z)

    @torch.no_grad()
    def initialize_from(self, x: Tensor, context: Context | None = None) -> None:
        """Set mean and factor from a batch."""
        rows = x.detach().cpu().double()
        mean = rows.mean(0)
        centred = rows - mean
        spread = centred.square().mean(0)
        constant = spread.sqrt() <= 1e-6 * (1 + mean.abs())
        spread = torch.where(constant, 1.0, spread)
        covariance = torch.diag(spread)
        if len(rows) > rows.shape[1]:
            of_all = centred.T @ centred / len(rows)
            of_all[constant] = 0
            of_all[:, constant] = 0
            # A ridge of a millionth: columns that are functions of others still have a factor.
            off = of_all - torch.diag(of_all.diagonal())
            covariance = off + torch.diag(spread * (1 + 1e-6))
        factor = torch.linalg.cholesky(covariance)
        self.set_normal(mean, factor)

    @torch.no_grad()
    def set_normal(self, mean: Tensor, factor: Tensor) -> None:
        """Take one normal law to the standard one.

        Args:
            mean: Of the law, ``(d,)``.
            factor: Cholesky factor of its covariance, ``(d, d)``.
        """
        weight = torch.linalg.inv(factor).tril()
        self.mean.copy_(mean)
        self.log_diagonal.copy_(weight.diagonal().log())
        self.lower.copy_(weight.tril(-1))
        self.initialized.fill_(1)

    def extra_repr(self) -> str:
        """What ``repr`` shows."""
        return f"{len(self.mean)}"
