"""Mixtures of normals, number by number: each given the numbers before it."""

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
from lambent.core.stepwise import Stepwise
from lambent.core.transform import sum_event, widened
from lambent.types import Context, PerSample, X

_LEAST_LOG_SCALE = -7.0  # a component that shrinks onto one number would gain without end


class AutoregressiveMixture(Distribution):
    r"""``p(z) = prod_i sum_j w_ij N(z_i; m_ij, s_ij^2)``, the parameters from ``z_0 ... z_{i-1}``.

    ``w = softmax(a)``, ``ln s = -7 + softplus(r + 7)``; the means start apart, from -1 to 1. A
    density costs one pass through the network; so do draws, number after number, where the network
    remembers (:class:`lambent.core.Stepwise`). Temperature multiplies each component's scale. A
    draw carries gradients to means and scales, and none to the weights, which choose.

    Args:
        net: A module ``net(x, context) -> (b, 3 k d)`` with ``start`` and ``step``; the parameters
            of a number, log-weights, means and raw log-scales, depend on those before it alone.
        features: Numbers of a vector, ``d``.
        components: Terms of each sum, ``k``.

    Shape:
        ``(b, d)``.

    Raises:
        ValueError: If ``components`` is less than 1, or the network gives no steps.

    References:
        G. Papamakarios et al., "Masked Autoregressive Flow", 2017, arXiv:1705.07057, section 3.2
        (MADE MoG, the base of MAF MoG).

    Example:
        >>> from lambent.nn import MADE
        >>> AutoregressiveMixture(MADE(3, 6, width=8), 3, 2).sample(4).shape
        torch.Size([4, 3])
    """

    start: Tensor

    def __init__(self, net: nn.Module, features: int, components: int) -> None:
        super().__init__()
        if components < 1:
            raise ValueError(f"components: expected at least 1, got {components}")
        if not isinstance(net, Stepwise):
            raise ValueError(
                f"net: expected a network with start and step, got {type(net).__name__}"
            )
        self.net = net
        self.event_shape = (features,)
        self.components = components
        self.register_buffer("start", torch.linspace(-1, 1, components), persistent=False)

    def _params(self, raw: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Log-weights, means and log-scales of raw parameters ``(..., 3 k)``, each ``(..., k)``."""
        logits, means, scales = widened(raw).chunk(3, -1)
        log_scales = _LEAST_LOG_SCALE + F.softplus(scales - _LEAST_LOG_SCALE)
        return logits.log_softmax(-1), means + self.start, log_scales

    def log_prob(self, x: X, context: Context | None = None) -> PerSample:
        """Nats, ``(b,)``."""
        raw = self.net(x, context).unflatten(1, (x.shape[1], 3 * self.components))
        log_weights, means, log_scales = self._params(raw)
        z = (widened(x)[..., None] - means) * (-log_scales).exp()
        terms = log_weights - 0.5 * (z.square() + math.log(2 * math.pi)) - log_scales
        return sum_event(terms.logsumexp(-1))

    def rsample(
        self,
        n: int | None = None,
        context: Context | None = None,
        *,
        temperature: float | Tensor = 1.0,
    ) -> X:
        """Draw events; see :meth:`Distribution.rsample`, and the class for the gradients."""
        rows, (size,) = count_draws(n, context), self.event_shape
        like = self.start.new_zeros(rows, size)
        scale = scale_of_temperature(temperature, like).expand(rows, 1)
        noise = torch.randn_like(like)
        numbers: list[Tensor] = []
        assert isinstance(self.net, Stepwise)  # checked at construction
        so_far = self.net.start(repeat_context(context, n), like)
        for i in range(size):
            raw, so_far = self.net.step(i, numbers[-1] if numbers else None, so_far)
            log_weights, means, log_scales = self._params(raw)
            chosen = torch.multinomial(log_weights.detach().exp(), 1)
            mean, log_scale = means.gather(1, chosen), log_scales.gather(1, chosen)
            numbers.append((mean + noise[:, i : i + 1] * log_scale.exp() * scale)[:, 0])
        return torch.stack(numbers, 1)

    @property
    def one_centre(self) -> bool:
        """No: a draw at temperature 0 is of one component or another."""
        return False

    def extra_repr(self) -> str:
        """What ``repr`` shows."""
        return f"{self.event_shape}, components={self.components}"
