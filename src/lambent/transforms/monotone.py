"""Elementwise maps that are monotone by construction and are undone by a search for the root."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor

from lambent.numerics import (
    bernstein,
    bernstein_inverse,
    sigmoid_mixture,
    sigmoid_mixture_inverse,
)
from lambent.transforms.elementwise import Affine, bounded

_LOG_SLOPE_BOUND = 5.0
"""Largest absolute log of a sigmoid's slope: no sigmoid is steeper than 148, none flatter."""


def _check_at_least(least: int, **values: int) -> None:
    for name, value in values.items():
        if value < least:
            raise ValueError(f"{name}: expected at least {least}, got {value}")


def _spread(units: int, like: Tensor) -> Tensor:
    """Where sigmoids start, from -1 to 1: alike they would learn alike."""
    return torch.linspace(-1, 1, units, dtype=like.dtype, device=like.device)


def _sigmoids(raw: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Log-weights, log-slopes and shifts of free parameters ``(..., 3 k)``."""
    weight, slope, shift = raw.chunk(3, -1)
    shift = shift + _spread(shift.shape[-1], raw)
    return weight.log_softmax(-1), bounded(slope, _LOG_SLOPE_BOUND), shift


@dataclass(frozen=True)
class LogisticMixture:
    r"""``y = (logit F(x) + t) s`` with ``F`` the distribution function of a mixture of logistics.

    The ``3 K + 2`` parameters are those of the mixture (log-weights before a softmax, log inverse
    scales, shifts), then those of :class:`Affine`. Parameters of 0 give a map close to the
    identity. Near a sharp component it is steep: a coupling of one hump becomes one of several.

    Args:
        components: ``K``.
        bound: Largest ``|ln s|``; no bound if ``None``.

    Raises:
        ValueError: If there are less than 1.

    References:
        J. Ho et al., "Flow++", 2019, arXiv:1902.00275, section 3.2.

    Example:
        >>> import torch
        >>> y, _ = LogisticMixture(components=4).forward(torch.ones(1), torch.zeros(1, 14))
        >>> y
        tensor([0.8868])
    """

    components: int = 8
    bound: float | None = 2.0
    discrete: ClassVar[bool] = False

    def __post_init__(self) -> None:
        _check_at_least(1, components=self.components)

    @property
    def num_params(self) -> int:
        """``3 K + 2``."""
        return 3 * self.components + 2

    def forward(self, x: Tensor, params: Tensor) -> tuple[Tensor, Tensor]:
        """Through the mixture, then shift and scale."""
        y, log_mixture = sigmoid_mixture(x, *_sigmoids(params[..., :-2]))
        y, log_affine = Affine(self.bound).forward(y, params[..., -2:])
        return y, log_mixture + log_affine

    def inverse(self, y: Tensor, params: Tensor) -> tuple[Tensor, Tensor]:
        """Undo scale and shift, then find the mixture's root."""
        x, log_affine = Affine(self.bound).inverse(y, params[..., -2:])
        x, log_mixture = sigmoid_mixture_inverse(x, *_sigmoids(params[..., :-2]))
        return x, log_mixture + log_affine


@dataclass(frozen=True)
class MonotoneNetwork:
    r"""A network of one number that increases by construction: deep sigmoidal flow.

    ``y = logit(sum_j w_j sigmoid(a_j x + b_j))``, ``layers`` times, with positive slopes ``a`` and
    weights ``w`` that sum to 1. The ``3 k`` parameters of each layer are logarithms of weights
    before a softmax, logarithms of slopes, and shifts.

    Args:
        units: Sigmoids of each layer, ``k``.
        layers: How many layers.

    Raises:
        ValueError: If either is less than 1.

    References:
        C. Huang et al., "Neural Autoregressive Flows", 2018, arXiv:1804.00779, section 3.1.

    Example:
        >>> MonotoneNetwork(units=4, layers=2).num_params
        24
    """

    units: int = 8
    layers: int = 1
    discrete: ClassVar[bool] = False

    def __post_init__(self) -> None:
        _check_at_least(1, units=self.units, layers=self.layers)

    @property
    def num_params(self) -> int:
        """``3 k`` for each layer."""
        return 3 * self.units * self.layers

    def forward(self, x: Tensor, params: Tensor) -> tuple[Tensor, Tensor]:
        """Layer by layer."""
        total = torch.zeros_like(x)
        for raw in params.chunk(self.layers, -1):
            x, log_derivative = sigmoid_mixture(x, *_sigmoids(raw))
            total = total + log_derivative
        return x, total

    def inverse(self, y: Tensor, params: Tensor) -> tuple[Tensor, Tensor]:
        """Find the root of each layer, last to first."""
        total = torch.zeros_like(y)
        for raw in reversed(params.chunk(self.layers, -1)):
            y, log_derivative = sigmoid_mixture_inverse(y, *_sigmoids(raw))
            total = total + log_derivative
        return y, total


@dataclass(frozen=True)
class Bernstein:
    r"""A monotone Bernstein polynomial of degree ``n`` on ``[-B, B]``, its tangents outside.

    It passes ``(-B, -B)`` and ``(B, B)``; the ``n`` parameters are the steps between its heights
    before a softmax, each at least a thousandth of all. Parameters of 0 give the identity.

    Args:
        degree: ``n``.
        bound: ``B``.

    Raises:
        ValueError: If the degree is not 2 to 99, or the bound is not a number above 0.

    References:
        S. Ramasinghe et al., "Robust normalizing flows using Bernstein-type polynomials", 2021,
        arXiv:2102.03509.

    Example:
        >>> import torch
        >>> y, _ = Bernstein(degree=4).forward(torch.tensor([0.5, 9.0]), torch.zeros(2, 4))
        >>> y
        tensor([0.5000, 9.0000])
    """

    degree: int = 16
    bound: float = 5.0
    discrete: ClassVar[bool] = False

    def __post_init__(self) -> None:
        if not 2 <= self.degree <= 99:  # the least step is a thousandth of all
            raise ValueError(f"degree: expected 2 to 99, got {self.degree}")
        if not 0 < self.bound < math.inf:
            raise ValueError(f"bound: expected a number above 0, got {self.bound}")

    @property
    def num_params(self) -> int:
        """``n``."""
        return self.degree

    def heights(self, params: Tensor) -> Tensor:
        """The polynomial's heights, ``(..., n + 1)``."""
        steps = 1e-3 + (1 - 1e-3 * self.degree) * params.softmax(-1)
        return self.bound * (2 * F.pad(steps.cumsum(-1), (1, 0)) - 1)

    def forward(self, x: Tensor, params: Tensor) -> tuple[Tensor, Tensor]:
        """The polynomial."""
        return bernstein(x, self.heights(params), self.bound)

    def inverse(self, y: Tensor, params: Tensor) -> tuple[Tensor, Tensor]:
        """Find its root."""
        return bernstein_inverse(y, self.heights(params), self.bound)
