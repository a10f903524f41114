"""Independent numbers 0 or 1, whose probabilities a network finds from the context."""

from __future__ import annotations

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
from lambent.errors import check_domain
from lambent.types import Context, PerSample, Size, X


class Bernoulli(Distribution):
    r"""``P(x_i = 1 | c) = sigmoid(l_i)`` with logits ``l = net(context)``, or learned ones.

    ``log p(x | c) = sum_i ln sigmoid((2 x_i - 1) l_i)``. A draw is 1 where ``l_i + e_i >= 0`` with
    logistic noise ``e``, whose scale the temperature multiplies: at 0 it is the more probable.
    Draws carry no gradient.

    Args:
        event_shape: Shape of one event.
        net: ``net(kept)`` or ``net(kept, context)``, a conditioner whose output has the shape of an
            event; without it the logits are parameters, 0 at first, and the context is not read.

    Shape:
        Events are ``(b, *event_shape)`` of any dtype; draws are floats.

    Raises:
        ValueError: If there is a network and no context, or its output has another shape.
        DomainError: If an event holds other numbers.

    Example:
        >>> Bernoulli((2,)).log_prob(torch.tensor([[0, 1]])).detach()
        tensor([-1.3863])
    """

    def __init__(self, event_shape: Size, net: nn.Module | None = None) -> None:
        super().__init__()
        self.event_shape = tuple(event_shape)
        self.net = net
        if net is None:
            self.logits = nn.Parameter(torch.zeros(self.event_shape))

    def _logits(self, context: Context | None) -> Tensor:
        """``(b, *event_shape)``; ``b`` is 1 without a network."""
        return self.logits[None] if self.net is None else ask(self.net, context, self.event_shape)

    def log_prob(self, x: X, context: Context | None = None) -> PerSample:
        """Nats, ``(b,)``."""
        check_domain((x == 0) | (x == 1), "x: expected numbers 0 or 1, got others")
        logits = self._logits(context)
        return sum_event(F.logsigmoid(torch.where(x > 0, logits, -logits)))

    def rsample(
        self,
        n: int | None = None,
        context: Context | None = None,
        *,
        temperature: float | Tensor = 1.0,
    ) -> X:
        """Draw events; see :meth:`Distribution.rsample`."""
        rows = count_draws(n, context)
        read = None if self.net is None else repeat_context(context, n)
        logits = self._logits(read).detach().expand(rows, *self.event_shape)
        noise = torch.rand_like(logits).logit(torch.finfo(logits.dtype).tiny)
        return (logits + noise * scale_of_temperature(temperature, logits) >= 0).to(logits.dtype)

    def extra_repr(self) -> str:
        """What ``repr`` shows."""
        return f"{self.event_shape}"
