"""The uniform density of a box, base of flows on intervals and circles."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from lambent.core.distribution import Distribution, count_draws
from lambent.core.transform import zero_log_det
from lambent.errors import check_domain
from lambent.types import Context, PerSample, Size, X


class Uniform(Distribution):
    r"""Independent numbers, each as likely anywhere from ``-B`` to ``B``; the context is not read.

    ``log p(z) = -d ln 2 B``. It has no scale that a temperature could multiply.

    Args:
        event_shape: Shape of one event.
        bound: ``B``.

    Raises:
        ValueError: If the bound is not a number above 0, or a temperature other than 1 is asked.
        DomainError: If a number lies outside.

    Example:
        >>> Uniform((2,), 2.0).log_prob(torch.zeros(1, 2))
        tensor([-2.7726])
    """

    origin: Tensor

    def __init__(self, event_shape: Size, bound: float = 1.0) -> None:
        super().__init__()
        if not 0 < bound < math.inf:
            raise ValueError(f"bound: expected a number above 0, got {bound}")
        self.event_shape = tuple(event_shape)
        self.bound = bound
        self.register_buffer("origin", torch.zeros(()), persistent=False)

    def log_prob(self, x: X, context: Context | None = None) -> PerSample:
        """Nats, ``(b,)``."""
        check_domain(
            x.abs() <= self.bound,
            f"x: expected numbers from {-self.bound:g} to {self.bound:g}, got others",
        )
        return zero_log_det(x) - math.prod(self.event_shape) * math.log(2 * self.bound)

    def rsample(
        self,
        n: int | None = None,
        context: Context | None = None,
        *,
        temperature: float | Tensor = 1.0,
    ) -> X:
        """Draw events; see :meth:`Distribution.rsample`. A temperature other than 1 is refused."""
        rows = count_draws(n, context)
        if bool((torch.as_tensor(temperature) != 1).any()):
            raise ValueError(f"temperature: expected 1 with a uniform base, got {temperature}")
        noise = torch.rand(
            rows, *self.event_shape, dtype=self.origin.dtype, device=self.origin.device
        )
        return self.bound * (2 * noise - 1)

    @property
    def one_centre(self) -> bool:
        """No: it has no temperature 0."""
        return False

    def extra_repr(self) -> str:
        """What ``repr`` shows."""
        return f"{self.event_shape}, {self.bound:g}"
