"""Small stateless functions of one element and its parameters, for couplings of every kind."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Protocol, runtime_checkable

import torch
import torch.nn.functional as F
from torch import Tensor


@runtime_checkable
class Elementwise(Protocol):
    """An invertible function of one number, given ``k`` parameters on the last axis.

    ``forward`` and ``inverse`` take ``x`` of shape ``(...)`` and ``params`` of ``(..., k)`` and
    return the value and the log of the derivative of the direction taken, both ``(...)``.
    """

    discrete: ClassVar[bool]
    """Whether it takes integers to integers, with a derivative of 1."""

    @property
    def num_params(self) -> int:
        """``k``."""
        ...

    def forward(self, x: Tensor, params: Tensor) -> tuple[Tensor, Tensor]:
        """Apply."""
        ...

    def inverse(self, y: Tensor, params: Tensor) -> tuple[Tensor, Tensor]:
        """Undo."""
        ...


def bounded(raw: Tensor, bound: float | None) -> Tensor:
    """``bound tanh(raw / bound)``: near the identity at 0, never beyond ``bound``."""
    return raw if bound is None else bound * torch.tanh(raw / bound)


@dataclass(frozen=True)
class Additive:
    """``y = x + t``; the derivative is 1."""

    num_params: ClassVar[int] = 1
    discrete: ClassVar[bool] = False

    def forward(self, x: Tensor, params: Tensor) -> tuple[Tensor, Tensor]:
        """Add."""
        return x + params[..., 0], torch.zeros_like(x)

    def inverse(self, y: Tensor, params: Tensor) -> tuple[Tensor, Tensor]:
        """Subtract."""
        return y - params[..., 0], torch.zeros_like(y)


@dataclass(frozen=True)
class Affine:
    """``y = (x + t) s`` with ``ln s = bound tanh(r / bound)``: the scale is bounded both ways.

    Args:
        bound: Largest ``|ln s|``; no bound if ``None``.
    """

    bound: float | None = 2.0
    num_params: ClassVar[int] = 2
    discrete: ClassVar[bool] = False

    def forward(self, x: Tensor, params: Tensor) -> tuple[Tensor, Tensor]:
        """Shift, then scale."""
        shift, raw = params.unbind(-1)
        log_scale = bounded(raw, self.bound)
        return (x + shift) * log_scale.exp(), log_scale

    def inverse(self, y: Tensor, params: Tensor) -> tuple[Tensor, Tensor]:
        """Undo the scale, then the shift."""
        shift, raw = params.unbind(-1)
        log_derivative = -bounded(raw, self.bound)
        return y * log_derivative.exp() - shift, log_derivative


@dataclass(frozen=True)
class SigmoidAffine:
    """``y = (x + t) sigmoid(r + 2)``, the released Glow's: it can only shrink.

    A scale near 0 makes the inverse overflow; that of :class:`Affine` is bounded.
    """

    num_params: ClassVar[int] = 2
    discrete: ClassVar[bool] = False

    def forward(self, x: Tensor, params: Tensor) -> tuple[Tensor, Tensor]:
        """Shift, then scale."""
        shift, raw = params.unbind(-1)
        return (x + shift) * torch.sigmoid(raw + 2), F.logsigmoid(raw + 2)

    def inverse(self, y: Tensor, params: Tensor) -> tuple[Tensor, Tensor]:
        """Undo the scale, then the shift."""
        shift, raw = params.unbind(-1)
        return y / torch.sigmoid(raw + 2) - shift, -F.logsigmoid(raw + 2)


@dataclass(frozen=True)
class Standardise:
    """``y = (x - m) / e^l``: a normal of mean ``m`` and log standard deviation ``l`` made standard.

    Args:
        bound: Largest ``|l|``, kept by ``bound tanh(l / bound)``; no bound if ``None``.
    """

    bound: float | None = None
    num_params: ClassVar[int] = 2
    discrete: ClassVar[bool] = False

    def forward(self, x: Tensor, params: Tensor) -> tuple[Tensor, Tensor]:
        """Standardise."""
        mean, raw = params.unbind(-1)
        log_std = bounded(raw, self.bound)
        return (x - mean) * (-log_std).exp(), -log_std

    def inverse(self, y: Tensor, params: Tensor) -> tuple[Tensor, Tensor]:
        """Give mean and scale back."""
        mean, raw = params.unbind(-1)
        log_std = bounded(raw, self.bound)
        return mean + y * log_std.exp(), log_std
