"""The half-normal: a base of numbers above 0."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from lambent.core.distribution import Distribution, count_draws, scale_of_temperature
from lambent.core.transform import sum_event
from lambent.errors import check_domain
from lambent.types import Context, PerSample, Size, X


class HalfNormal(Distribution):
    r"""Independent absolute values of normals, one learned scale for each of the first axis.

    ``log p(x) = sum_i [ln 2 - 1/2 (x_i^2 / s_i^2 + ln 2 pi) - ln s_i]``, for ``x >= 0``. The
    context is not read. Temperature multiplies the scale.

    Args:
        event_shape: Shape of one event, ``(c, *)``.
        std: The scale it starts with.

    Raises:
        ValueError: If ``std`` is not above 0.
        DomainError: If an event has a number below 0.

    Example:
        >>> bool((HalfNormal((4,)).sample(2) >= 0).all())
        True
    """

    def __init__(self, event_shape: Size, *, std: float = 1.0) -> None:
        super().__init__()
        if not std > 0:
            raise ValueError(f"std: expected a number above 0, got {std}")
        self.event_shape = tuple(event_shape)
        shape = (*self.event_shape[:1], *[1] * (len(self.event_shape) - 1))
        self.log_std = nn.Parameter(torch.full(shape, math.log(std)))

    def log_prob(self, x: X, context: Context | None = None) -> PerSample:
        """Nats, ``(b,)``."""
        check_domain(x >= 0, "x: a half-normal expects numbers of at least 0, got one below")
        normed = x * (-self.log_std).exp()
        return sum_event(-0.5 * (normed.square() + math.log(math.pi / 2)) - self.log_std)

    def rsample(
        self,
        n: int | None = None,
        context: Context | None = None,
        *,
        temperature: float | Tensor = 1.0,
    ) -> X:
        """Draw events; see :meth:`Distribution.rsample`."""
        rows = count_draws(n, context)
        std = self.log_std.exp()
        noise = torch.randn(rows, *self.event_shape, dtype=std.dtype, device=std.device).abs()
        return std * noise * scale_of_temperature(temperature, noise)

    def extra_repr(self) -> str:
        """What ``repr`` shows."""
        return f"{self.event_shape}"
