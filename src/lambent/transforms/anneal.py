"""Noise in place of the events at the start of training."""

from __future__ import annotations

import torch
from torch import nn

from lambent.core.transform import Transform, zero_log_det
from lambent.types import Context, PerSample, X, Z


class Anneal(Transform):
    r"""The identity; in training, ``z = α x + (1 - α) ε`` with standard normal ``ε``, ``V = 0``.

    Training at a small ``α`` starts from pure noise, of which a flow that starts as the identity
    is the best model, and turns to the data as ``α`` grows; :func:`anneal` sets it. In eval mode
    ``α`` is not read.

    Shape:
        ``(b, *)`` both ways.

    References:
        J. Hyatt, "Maximum likelihood on the joint (data, condition) distribution for solving
        ill-posed problems with conditional flow models", 2022, arXiv:2208.11782.
    """

    cheap_inverse = True

    def __init__(self) -> None:
        super().__init__()
        self.alpha = 1.0

    def forward(self, x: X, context: Context | None = None) -> tuple[Z, PerSample]:
        """Mix with noise, in training."""
        if self.training and self.alpha < 1:
            x = self.alpha * x + (1 - self.alpha) * torch.randn_like(x)
        return x, zero_log_det(x)

    def inverse(self, z: Z, context: Context | None = None) -> tuple[X, PerSample]:
        """As it is."""
        return z, zero_log_det(z)


def anneal(module: nn.Module, alpha: float) -> None:
    """Set the share of the data in what every :class:`Anneal` of a flow passes on in training.

    Args:
        module: The flow.
        alpha: ``α``, 0 for noise alone, 1 for data alone.

    Raises:
        ValueError: If it is out of range.
    """
    if not 0 <= alpha <= 1:
        raise ValueError(f"alpha: expected 0 to 1, got {alpha}")
    for step in module.modules():
        if isinstance(step, Anneal):
            step.alpha = alpha
