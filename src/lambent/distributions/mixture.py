"""A mixture of Gaussians, a base with several modes."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lambent.core.amortise import shifted
from lambent.core.distribution import (
    Distribution,
    count_draws,
    repeat_context,
    scale_of_temperature,
)
from lambent.core.transform import widened
from lambent.types import Context, PerSample, Size, X

_LEAST_LOG_SCALE = -7.0  # a component that shrinks onto one event would gain without end


class GaussianMixture(Distribution):
    r"""``p(z) = sum_j w_j prod_i N(z_i; m_ji, s_ji^2)`` with learned weights, means and scales.

    ``w = softmax(a)`` and ``ln s = -7 + softplus(r + 7)``, which is ``r`` where ``r`` is not far
    below 0. At the start the weights are equal, the means normal with variance 1/4 and the scales'
    variance 3/4, so that the whole has about unit variance. Temperature multiplies each component's
    scale: at 0 a draw is the mean of its component.

    A draw carries gradients to the mean and the scale of the component it comes from, and none to
    the weights, which choose it: a loss of draws alone does not train them, a likelihood does.

    Args:
        event_shape: Shape of one event.
        components: Terms of the sum, ``k``.
        net: A module ``net(context) -> (b, k (1 + 2 d))``, ``d`` the size of an event, whose
            output is added to ``a``, ``m`` and ``r``; without it the context is not read.

    Raises:
        ValueError: If ``components`` is less than 1.

    References:
        P. Izmailov et al., "Semi-Supervised Learning with Normalizing Flows", 2020,
        arXiv:1912.13025.

    Example:
        >>> GaussianMixture((4,), 3).sample(2).shape
        torch.Size([2, 4])
    """

    def __init__(self, event_shape: Size, components: int, *, net: nn.Module | None = None) -> None:
        super().__init__()
        if components < 1:
            raise ValueError(f"components: expected at least 1, got {components}")
        self.event_shape = tuple(event_shape)
        size = math.prod(self.event_shape)
        self.logits = nn.Parameter(torch.zeros(components))
        self.means = nn.Parameter(torch.randn(components, size) / 2)
        start = math.log(3 / 4) / 2
        self.raw_scales = nn.Parameter(torch.full((components, size), start))
        self.net = net

    def _params(self, context: Context | None) -> tuple[Tensor, Tensor, Tensor]:
        """Log-weights ``(b, k)``, means and log-scales ``(b, k, d)``; ``b`` 1 without a context."""
        own = (self.logits, self.means, self.raw_scales)
        logits, means, raw = shifted(own, self.net, context)
        log_scales = _LEAST_LOG_SCALE + F.softplus(raw - _LEAST_LOG_SCALE)
        return logits.log_softmax(1), means, log_scales

    def log_prob(self, x: X, context: Context | None = None) -> PerSample:
        """Nats, ``(b,)``."""
        log_weights, means, log_scales = self._params(context)
        z = (widened(x).reshape(len(x), 1, -1) - means) * (-log_scales).exp()
        terms = -0.5 * (z.square() + math.log(2 * math.pi)) - log_scales
        return (log_weights + terms.sum(2)).logsumexp(1)

    def rsample(
        self,
        n: int | None = None,
        context: Context | None = None,
        *,
        temperature: float | Tensor = 1.0,
    ) -> X:
        """Draw events; see :meth:`Distribution.rsample`, and the class for the gradients."""
        rows = count_draws(n, context)
        read = None if self.net is None else repeat_context(context, n)
        log_weights, means, log_scales = (p.expand(rows, *p.shape[1:]) for p in self._params(read))
        chosen = torch.multinomial(log_weights.detach().exp(), 1)[:, :, None]
        chosen = chosen.expand(-1, -1, means.shape[2])
        mean, log_scale = (p.gather(1, chosen)[:, 0] for p in (means, log_scales))
        noise = torch.randn_like(mean)
        x = mean + noise * log_scale.exp() * scale_of_temperature(temperature, noise)
        return x.reshape(rows, *self.event_shape)

    @property
    def one_centre(self) -> bool:
        """No: one for each component."""
        return False

    def extra_repr(self) -> str:
        """What ``repr`` shows."""
        return f"{self.event_shape}, components={len(self.logits)}"
