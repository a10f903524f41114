"""The normal of full covariance, as what a density of rows has to beat."""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor

AT_A_TIME = 2**16
"""Rows that are in float64 at once."""


def gaussian_log_prob(
    train: Float[Tensor, "n d"], rows: Float[Tensor, "m d"]
) -> Float[Tensor, "m"]:
    """Nats of each row under the normal of largest likelihood on other rows, in closed form.

    ``log N(x; m, S) = -(d log 2π + log det S + (x - m)' S⁻¹ (x - m)) / 2`` with the mean m and the
    covariance S of ``train``, divided by n.

    Args:
        train: What the normal is fitted to.
        rows: What it is measured on.

    Shape:
        - train: ``(n, d)``
        - rows: ``(m, d)``
        - result: ``(m,)``, float64

    Returns:
        The log-likelihoods.

    Raises:
        ValueError: If the covariance of ``train`` is singular.

    Example:
        >>> train = torch.tensor([[1.0], [-1.0]])  # mean 0, variance 1
        >>> gaussian_log_prob(train, torch.zeros(1, 1))
        tensor([-0.9189], dtype=torch.float64)
    """
    count, dims = train.shape
    mean = train.mean(0, dtype=torch.float64)
    covariance = torch.zeros(dims, dims, dtype=torch.float64)
    for part in train.split(AT_A_TIME):
        centred = part.double() - mean
        covariance += centred.T @ centred / count
    factor, failed = torch.linalg.cholesky_ex(covariance)
    if failed:
        raise ValueError(f"train: expected a covariance of rank {dims}, given one of less")
    constant = dims * math.log(2 * math.pi) + 2 * float(factor.diagonal().log().sum())
    squares = [
        torch.linalg.solve_triangular(factor, (part.double() - mean).T, upper=False).square().sum(0)
        for part in rows.split(AT_A_TIME)
    ]
    return -(constant + torch.cat(squares)) / 2
