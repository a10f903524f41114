"""The affine maps of other packages, by which copied weights give equal numbers."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from lambent.errors import check_choices

_FLOOR = 1e-3  # the packages' own


@dataclass(frozen=True)
class ScaleThenShift:
    """``y = s(r) x + t`` from the parameters ``(t, r)``, with the scale of another package.

    Args:
        scale: ``sigmoid``: ``sigmoid(r + 2) + 0.001``, the couplings of nflows; ``softplus``:
            ``softplus(r) + 0.001``, its autoregressive layers; ``clipped``:
            ``exp(r / (1 + |r / ln 0.001|))``, zuko.

    Raises:
        ValueError: If the word is another.

    Example:
        >>> import torch
        >>> ScaleThenShift("clipped").forward(torch.tensor([3.0]), torch.tensor([[1.0, 0.0]]))[0]
        tensor([4.])
    """

    scale: Literal["sigmoid", "softplus", "clipped"]
    num_params: ClassVar[int] = 2
    discrete: ClassVar[bool] = False

    def __post_init__(self) -> None:
        check_choices(self)

    def _log_scale(self, raw: Tensor) -> Tensor:
        if self.scale == "sigmoid":
            return (torch.sigmoid(raw + 2) + _FLOOR).log()
        if self.scale == "softplus":
            return (F.softplus(raw) + _FLOOR).log()
        return raw / (1 + (raw / math.log(_FLOOR)).abs())

    def forward(self, x: Tensor, params: Tensor) -> tuple[Tensor, Tensor]:
        """Scale, then shift."""
        shift, raw = params.unbind(-1)
        log_scale = self._log_scale(raw)
        return x * log_scale.exp() + shift, log_scale

    def inverse(self, y: Tensor, params: Tensor) -> tuple[Tensor, Tensor]:
        """Undo the shift, then the scale."""
        shift, raw = params.unbind(-1)
        log_scale = self._log_scale(raw)
        return (y - shift) * (-log_scale).exp(), -log_scale
