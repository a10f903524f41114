"""A normal whose mean and scale a network finds from the context."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lambent.core.distribution import (
    Distribution,
    count_draws,
    repeat_context,
    scale_of_temperature,
)
from lambent.core.kept import ask
from lambent.core.transform import sum_event
from lambent.types import Context, PerSample, Size, X

LEAST_LOG_STD = -7.0
"""What is dropped may be a function of what stays; its scale must not fall to nothing."""


class ConditionalNormal(Distribution):
    r"""Independent normals with ``(m, r) = net(context)`` and ``ln s = -7 + softplus(r + 7)``.

    ``log p(x | c) = -1/2 sum_i ((x_i - m_i)^2 / s_i^2 + ln 2 pi + 2 ln s_i)``. The scale stays
    above ``e^-7``. Temperature multiplies it.

    Args:
        event_shape: Shape of one event, ``(c, *)``.
        net: ``net(kept)``, or ``net(kept, context)`` where the context is a tuple: a conditioner
            of means, then raw log-scales, along the first axis of an event.

    Shape:
        The network's output is ``(b, 2 c, *)``.

    Raises:
        ValueError: If there is no context, or the network's output has another shape.

    Example:
        >>> from lambent.nn import MLP
        >>> normal = ConditionalNormal((3,), MLP(2, 6, width=8))
        >>> normal.sample(4, torch.zeros(5, 2)).shape
        torch.Size([20, 3])
    """

    def __init__(self, event_shape: Size, net: nn.Module) -> None:
        super().__init__()
        self.event_shape = tuple(event_shape)
        self.net = net

    def _mean_and_log_std(self, context: Context | None) -> tuple[Tensor, Tensor]:
        first, *rest = self.event_shape
        found = ask(self.net, context, (2 * first, *rest))
        mean, raw = found.chunk(2, 1)
        return mean, LEAST_LOG_STD + F.softplus(raw - LEAST_LOG_STD)

    def log_prob(self, x: X, context: Context | None = None) -> PerSample:
        """Nats, ``(b,)``."""
        mean, log_std = self._mean_and_log_std(context)
        normed = (x - mean) * (-log_std).exp()
        return sum_event(-0.5 * (normed.square() + math.log(2 * math.pi)) - log_std)

    def rsample(
        self,
        n: int | None = None,
        context: Context | None = None,
        *,
        temperature: float | Tensor = 1.0,
    ) -> X:
        """Draw events; see :meth:`Distribution.rsample`."""
        count_draws(n, context)
        mean, log_std = self._mean_and_log_std(repeat_context(context, n))
        noise = torch.randn_like(mean) * scale_of_temperature(temperature, mean)
        return mean + log_std.exp() * noise

    def extra_repr(self) -> str:
        """What ``repr`` shows."""
        return f"{self.event_shape}"
