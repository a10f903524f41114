"""The standard normal, base of most flows."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from lambent.core.distribution import Distribution, count_draws, scale_of_temperature
from lambent.core.transform import sum_event
from lambent.types import Context, PerSample, Size, X


class StandardNormal(Distribution):
    r"""Independent normals of mean 0 and variance 1; the context is not read.

    ``log p(z) = -1/2 sum_i (z_i^2 + ln 2 pi)``. Temperature multiplies the standard deviation.

    Args:
        event_shape: Shape of one event.

    Example:
        >>> StandardNormal((4,)).sample(2).shape
        torch.Size([2, 4])
    """

    origin: Tensor

    def __init__(self, event_shape: Size) -> None:
        super().__init__()
        self.event_shape = tuple(event_shape)
        self.register_buffer("origin", torch.zeros(()), persistent=False)

    def log_prob(self, x: X, context: Context | None = None) -> PerSample:
        """Nats, ``(b,)``."""
        return sum_event(-0.5 * (x.square() + math.log(2 * math.pi)))

    def rsample(
        self,
        n: int | None = None,
        context: Context | None = None,
        *,
        temperature: float | Tensor = 1.0,
    ) -> X:
        """Draw events; see :meth:`Distribution.rsample`."""
        rows = count_draws(n, context)
        noise = torch.randn(
            rows, *self.event_shape, dtype=self.origin.dtype, device=self.origin.device
        )
        return noise * scale_of_temperature(temperature, noise)

    def extra_repr(self) -> str:
        """What ``repr`` shows."""
        return f"{self.event_shape}"
