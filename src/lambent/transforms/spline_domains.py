"""Rational-quadratic splines of an interval and of a circle."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor

from lambent.errors import check_domain
from lambent.numerics import Knots, knot_places, spline, spline_inverse

_LEAST = 1e-3  # of a bin's width and height as a part of all, and of a slope
_AT_ZERO = math.log(math.expm1(1 - _LEAST))  # a raw slope of 0 is a slope of 1


def _check(bins: int, bound: float) -> None:
    if not 2 <= bins < 1 / _LEAST:
        raise ValueError(f"bins: expected 2 to 999, got {bins}")
    if not 0 < bound < math.inf:
        raise ValueError(f"bound: expected a number above 0, got {bound}")


def _check_inside(name: str, values: Tensor, bound: float) -> None:
    check_domain(
        values.abs() <= bound, f"{name}: expected numbers from {-bound:g} to {bound:g}, got others"
    )


def _slopes(raw: Tensor) -> Tensor:
    return _LEAST + F.softplus(raw + _AT_ZERO)


@dataclass(frozen=True)
class IntervalSpline:
    r"""A monotone spline of ``K`` bins from ``[-B, B]`` onto itself.

    The ``3 K + 1`` parameters are raw widths, heights, and slopes at all knots, the ends too.
    Parameters of 0 give the identity. For numbers that have ends: shares, grades, angles of a half
    turn.

    Args:
        bins: ``K``.
        bound: ``B``.

    Raises:
        ValueError: If a number is out of range.
        DomainError: If a number lies outside.

    References:
        C. Durkan et al., "Neural Spline Flows", 2019, arXiv:1906.04032, section 3.1.

    Example:
        >>> IntervalSpline(bins=4, bound=1.0).num_params
        13
    """

    bins: int = 8
    bound: float = 1.0
    discrete: ClassVar[bool] = False

    def __post_init__(self) -> None:
        _check(self.bins, self.bound)

    @property
    def num_params(self) -> int:
        """``3 K + 1``."""
        return 3 * self.bins + 1

    def _knots(self, params: Tensor) -> Knots:
        widths, heights, slopes = params.split([self.bins, self.bins, self.bins + 1], -1)
        return Knots(
            knot_places(widths, self.bound, _LEAST),
            knot_places(heights, self.bound, _LEAST),
            _slopes(slopes),
        )

    def forward(self, x: Tensor, params: Tensor) -> tuple[Tensor, Tensor]:
        """The spline."""
        _check_inside("x", x, self.bound)
        return spline(x, self._knots(params))

    def inverse(self, y: Tensor, params: Tensor) -> tuple[Tensor, Tensor]:
        """Its inverse."""
        _check_inside("z", y, self.bound)
        return spline_inverse(y, self._knots(params))


@dataclass(frozen=True)
class CircularSpline:
    r"""A monotone spline of ``K`` bins of the circle ``[-B, B)``, then a turn.

    ``y = wrap(spline(x) + t)``: the slope where the circle closes is the same from either side, so
    the density has no seam. The ``3 K + 1`` parameters are raw widths, heights, slopes at ``K``
    knots, and the turn. Parameters of 0 give the identity.

    Args:
        bins: ``K``.
        bound: ``B``, half the circumference.

    Raises:
        ValueError: If a number is out of range.
        DomainError: If a number lies outside.

    References:
        D. Rezende et al., "Normalizing Flows on Tori and Spheres", 2020, arXiv:2002.02428,
        section 2.1.2.

    Example:
        >>> CircularSpline(bins=4).num_params
        13
    """

    bins: int = 8
    bound: float = math.pi
    discrete: ClassVar[bool] = False

    def __post_init__(self) -> None:
        _check(self.bins, self.bound)

    @property
    def num_params(self) -> int:
        """``3 K + 1``."""
        return 3 * self.bins + 1

    def _knots(self, params: Tensor) -> tuple[Knots, Tensor]:
        """The spline, and the turn."""
        widths, heights, slopes, turn = params.split([self.bins, self.bins, self.bins, 1], -1)
        around = torch.cat((slopes, slopes[..., :1]), -1)
        knots = Knots(
            knot_places(widths, self.bound, _LEAST),
            knot_places(heights, self.bound, _LEAST),
            _slopes(around),
        )
        return knots, turn[..., 0]

    def _wrap(self, angle: Tensor) -> Tensor:
        return torch.remainder(angle + self.bound, 2 * self.bound) - self.bound

    def forward(self, x: Tensor, params: Tensor) -> tuple[Tensor, Tensor]:
        """The spline, then the turn."""
        _check_inside("x", x, self.bound)
        knots, turn = self._knots(params)
        y, log_derivative = spline(x, knots)
        return self._wrap(y + turn), log_derivative

    def inverse(self, y: Tensor, params: Tensor) -> tuple[Tensor, Tensor]:
        """The turn undone, then the spline."""
        _check_inside("z", y, self.bound)
        knots, turn = self._knots(params)
        return spline_inverse(self._wrap(y - turn), knots)
