"""Student's t, a base with heavy tails."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.distributions import Gamma

from lambent.core.distribution import Distribution, count_draws, scale_of_temperature
from lambent.core.transform import sum_event, widened
from lambent.types import Context, PerSample, Size, X


class StudentT(Distribution):
    r"""Independent Student-t's of location 0 and scale 1; the context is not read.

    ``log p(z) = sum_i [ln G((v_i + 1) / 2) - ln G(v_i / 2) - ln(pi v_i) / 2
    - (v_i + 1) / 2 ln(1 + z_i^2 / v_i)]`` with ``G`` the gamma function. Each number learns its own
    degrees of freedom ``v_i = 1 + softplus(r_i)``: above 1, so that the mean exists, which is 0.
    Temperature multiplies the scale. Draws carry gradients to ``v``.

    Args:
        event_shape: Shape of one event.
        degrees: Degrees of freedom at the start.

    Raises:
        ValueError: If ``degrees`` is not a number above 1.

    References:
        P. Jaini et al., "Tails of Lipschitz Triangular Flows", 2020, arXiv:1907.04481;
        S. Alexanderson and G. Henter, "Robust model training and generalisation with Studentising
        flows", 2020, arXiv:2006.06599.

    Example:
        >>> StudentT((4,)).sample(2).shape
        torch.Size([2, 4])
    """

    def __init__(self, event_shape: Size, *, degrees: float = 10.0) -> None:
        super().__init__()
        if not (degrees > 1 and math.isfinite(degrees)):
            raise ValueError(f"degrees: expected a number above 1, got {degrees}")
        self.event_shape = tuple(event_shape)
        over = degrees - 1
        self.raw_degrees = nn.Parameter(
            torch.full(self.event_shape, over + math.log(-math.expm1(-over)))
        )

    @property
    def degrees(self) -> Tensor:
        """The degrees of freedom of each number, ``event_shape``."""
        return 1 + F.softplus(self.raw_degrees)

    def log_prob(self, x: X, context: Context | None = None) -> PerSample:
        """Nats, ``(b,)``."""
        x, degrees = widened(x), widened(self.degrees)
        wide = degrees.double()  # the two ln G nearly cancel where the degrees are many
        scale = torch.lgamma((wide + 1) / 2) - torch.lgamma(wide / 2) - (math.pi * wide).log() / 2
        tail = (degrees + 1) / 2 * torch.log1p(x.square() / degrees)
        return sum_event(scale.to(tail.dtype) - tail)

    def rsample(
        self,
        n: int | None = None,
        context: Context | None = None,
        *,
        temperature: float | Tensor = 1.0,
    ) -> X:
        """Draw events, a normal over the root of a gamma; see :meth:`Distribution.rsample`."""
        rows = count_draws(n, context)
        half = (self.degrees / 2).expand(rows, *self.event_shape)
        gamma = Gamma(half, torch.ones_like(half), validate_args=False).rsample()
        noise = torch.randn_like(half) * (half / gamma).sqrt()
        return noise * scale_of_temperature(temperature, noise)

    def extra_repr(self) -> str:
        """What ``repr`` shows."""
        return f"{self.event_shape}"
