"""Mixtures of sigmoids between the real line and itself, in logarithms throughout."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from lambent.numerics.bisection import increasing_root


def sigmoid_mixture(
    x: Tensor, log_weight: Tensor, log_slope: Tensor, shift: Tensor
) -> tuple[Tensor, Tensor]:
    r"""``y = logit(sum_j w_j sigmoid(a_j x + b_j))``, and the log of its derivative.

    With ``a > 0`` it increases from the real line onto itself. ``ln F`` and ``ln (1 - F)`` are
    summed each on its own, so neither tail loses digits.

    Args:
        x: Numbers, ``(...)``.
        log_weight: ``ln w``, ``(..., k)``; the weights of each sum to 1.
        log_slope: ``ln a``, ``(..., k)``.
        shift: ``b``, ``(..., k)``.

    Returns:
        ``y`` and ``ln dy/dx``, both ``(...)``.

    References:
        C. Huang et al., "Neural Autoregressive Flows", 2018, arXiv:1804.00779, eq. 8;
        J. Ho et al., "Flow++", 2019, arXiv:1902.00275, eq. 11 and 12.
    """
    inner = log_slope.exp() * x[..., None] + shift
    left, right = F.logsigmoid(inner), F.logsigmoid(-inner)
    below = torch.logsumexp(log_weight + left, -1)
    above = torch.logsumexp(log_weight + right, -1)
    density = torch.logsumexp(log_weight + left + right + log_slope, -1)
    return below - above, density - below - above


def sigmoid_mixture_inverse(
    y: Tensor, log_weight: Tensor, log_slope: Tensor, shift: Tensor
) -> tuple[Tensor, Tensor]:
    """The number whose :func:`sigmoid_mixture` is ``y``, and the log of the inverse's derivative.

    It lies between the numbers that the single sigmoids alone would give.

    Args:
        y: Numbers, ``(...)``.
        log_weight: ``ln w``, ``(..., k)``.
        log_slope: ``ln a``, ``(..., k)``.
        shift: ``b``, ``(..., k)``.

    Returns:
        ``x`` and ``ln dx/dy``, both ``(...)``.
    """
    alone = (y[..., None] - shift) * (-log_slope).exp()
    low, high = alone.detach().aminmax(dim=-1)

    def f(x: Tensor) -> tuple[Tensor, Tensor]:
        return sigmoid_mixture(x, log_weight, log_slope, shift)

    x = increasing_root(f, y, low, high)
    return x, -f(x)[1]
