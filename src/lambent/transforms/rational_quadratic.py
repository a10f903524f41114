"""The elementwise rational-quadratic spline, from free parameters."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, Literal

import torch.nn.functional as F
from torch import Tensor

from lambent.errors import check_choices
from lambent.nn.fast import takes_fast_path
from lambent.numerics import Knots, knot_places, spline, spline_inverse
from lambent.transforms.fused_spline import Bins, fused_spline

_SLOPE_FLOOR = 1e-3  # zuko's default of `slope`: no raw value reaches beyond its logarithm


@dataclass(frozen=True)
class RationalQuadratic:
    r"""A monotone spline of ``K`` bins on ``[-B, B]``, the identity outside.

    The ``3 K - 1`` parameters are raw widths, raw heights, and raw slopes at the inner knots. The
    widths are a softmax, times ``2 B``, of which each bin has at least ``min_width``; the heights
    likewise; the slopes are a softplus above ``min_slope``.

    Args:
        bins: ``K``.
        bound: ``B``.
        min_width: Smallest width of a bin, as a part of all.
        min_height: Smallest height of a bin, as a part of all.
        min_slope: Smallest slope at a knot.
        form: How raw numbers become a spline. ``centred``: as above, shifted so that parameters
            of 0 give the identity; ``released``: without the shift, as the code of Durkan et al.
            and nflows; ``bounded``: as zuko, each raw number bounded smoothly and slopes an
            exponential (the three minima are not read).

    Raises:
        ValueError: If a number is out of range.

    References:
        C. Durkan et al., "Neural Spline Flows", 2019, arXiv:1906.04032, section 3.1.

    Example:
        >>> import torch
        >>> y, _ = RationalQuadratic(bins=4).forward(torch.tensor([0.5, 9.0]), torch.zeros(2, 11))
        >>> y
        tensor([0.5000, 9.0000])
    """

    bins: int = 8
    bound: float = 3.0
    min_width: float = 1e-3
    min_height: float = 1e-3
    min_slope: float = 1e-3
    form: Literal["centred", "released", "bounded"] = "centred"
    discrete: ClassVar[bool] = False

    def __post_init__(self) -> None:
        check_choices(self)
        if self.bins < 2:
            raise ValueError(f"bins: expected at least 2, got {self.bins}")
        if not 0 < self.bound < math.inf:
            raise ValueError(f"bound: expected a number above 0, got {self.bound}")
        for name in ("min_width", "min_height"):
            value = getattr(self, name)
            if not 0 < value * self.bins < 1:
                raise ValueError(f"{name}: expected 0 to 1 / {self.bins} bins, got {value}")
        if not 0 < self.min_slope < 1:
            raise ValueError(f"min_slope: expected 0 to 1, got {self.min_slope}")

    @property
    def num_params(self) -> int:
        """``3 K - 1``."""
        return 3 * self.bins - 1

    def forward(self, x: Tensor, params: Tensor) -> tuple[Tensor, Tensor]:
        """The spline."""
        if self.form != "bounded" and takes_fast_path(x):
            return fused_spline(x, params, self._bins(), self._plain, inverse=False)
        return self._plain(x, params)

    def inverse(self, y: Tensor, params: Tensor) -> tuple[Tensor, Tensor]:
        """Its inverse."""
        if self.form != "bounded" and takes_fast_path(y):
            return fused_spline(y, params, self._bins(), self._plain_inverse, inverse=True)
        return self._plain_inverse(y, params)

    def _plain(self, x: Tensor, params: Tensor) -> tuple[Tensor, Tensor]:
        return spline(x, self.knots(params))

    def _plain_inverse(self, y: Tensor, params: Tensor) -> tuple[Tensor, Tensor]:
        return spline_inverse(y, self.knots(params))

    @property
    def _shift(self) -> float:
        """What is added to a raw slope: centred, the softplus of it is 1 - min_slope."""
        return math.log(math.expm1(1 - self.min_slope)) if self.form == "centred" else 0.0

    def _bins(self) -> Bins:
        least = (self.min_width, self.min_height)
        return Bins(self.bins, self.bound, least, self.min_slope, self._shift)

    def knots(self, params: Tensor) -> Knots:
        """Where the splines of parameters ``(..., 3 K - 1)`` pass."""
        widths, heights, slopes = params.split([self.bins, self.bins, self.bins - 1], -1)
        if self.form == "bounded":
            limit = -math.log(_SLOPE_FLOOR)
            widths = widths / (1 + (2 * widths / limit).abs())
            heights = heights / (1 + (2 * heights / limit).abs())
            inner = (slopes / (1 + (slopes / limit).abs())).exp()
            x = knot_places(widths, self.bound, 0.0)
            y = knot_places(heights, self.bound, 0.0)
        else:
            inner = self.min_slope + F.softplus(slopes + self._shift)
            x = knot_places(widths, self.bound, self.min_width)
            y = knot_places(heights, self.bound, self.min_height)
        return Knots(x, y, F.pad(inner, (1, 1), value=1.0))
