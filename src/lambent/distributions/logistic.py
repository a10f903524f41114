"""The standard logistic, base of NICE."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from lambent.core.distribution import Distribution, count_draws, scale_of_temperature
from lambent.core.transform import sum_event
from lambent.types import Context, PerSample, Size, X


class StandardLogistic(Distribution):
    r"""Independent logistics of mean 0 and scale 1; the context is not read.

    ``log p(z) = -sum_i (softplus(z_i) + softplus(-z_i))``; the variance is ``pi^2 / 3`` and the
    gradient of the density's log never exceeds 1. Temperature multiplies the scale. Draws stop
    where the distribution function leaves ``[eps, 1 - eps]`` of the dtype: at 15.9 in float32.

    Args:
        event_shape: Shape of one event.

    References:
        L. Dinh et al., "NICE: Non-linear Independent Components Estimation", 2015,
        arXiv:1410.8516, section 3.4.

    Example:
        >>> StandardLogistic((4,)).sample(2).shape
        torch.Size([2, 4])
    """

    origin: Tensor

    def __init__(self, event_shape: Size) -> None:
        super().__init__()
        self.event_shape = tuple(event_shape)
        self.register_buffer("origin", torch.zeros(()), persistent=False)

    def log_prob(self, x: X, context: Context | None = None) -> PerSample:
        """Nats, ``(b,)``."""
        return sum_event(-F.softplus(x) - F.softplus(-x))

    def rsample(
        self,
        n: int | None = None,
        context: Context | None = None,
        *,
        temperature: float | Tensor = 1.0,
    ) -> X:
        """Draw events; see :meth:`Distribution.rsample`."""
        rows = count_draws(n, context)
        uniform = torch.rand(
            rows, *self.event_shape, dtype=self.origin.dtype, device=self.origin.device
        )
        noise = torch.logit(uniform, eps=torch.finfo(uniform.dtype).eps)
        return noise * scale_of_temperature(temperature, noise)

    def extra_repr(self) -> str:
        """What ``repr`` shows."""
        return f"{self.event_shape}"
