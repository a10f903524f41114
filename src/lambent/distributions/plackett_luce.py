"""Orders of a few things, drawn one after another by scores."""

from __future__ import annotations

import torch
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
from lambent.types import Context, PerSample, X


class PlackettLuce(Distribution):
    r"""Place by place one of those left, ``j`` with a probability in proportion to ``e^(s_j)``.

    ``log p(o | c) = sum_i (s_(o_i) - ln sum_(k >= i) exp s_(o_k))`` of orders ``o``, with scores
    ``s = net(context)``, or learned ones. Equal scores make all ``n!`` orders equally probable. A
    draw puts ``s + g`` in falling order, with Gumbel noise ``g`` whose scale the temperature
    multiplies: at 0 the largest score comes first, and of equal ones the first. Draws carry no
    gradient.

    Args:
        size: ``n``, how many things there are.
        net: ``net(kept)`` or ``net(kept, context)``, a conditioner that puts out ``n`` scores;
            without it the scores are parameters, 0 at first, and the context is not read.

    Shape:
        Orders are ``(b, n)`` integers, in each row ``0 ... n - 1``: which thing stands at a place.

    Raises:
        ValueError: If ``size`` is less than 1, there is a network and no context, or its output has
            another shape.
        DomainError: If a row is no order.

    References:
        R. Plackett, "The Analysis of Permutations", 1975, Applied Statistics 24; J. Yellott, "The
        relationship between Luce's Choice Axiom, Thurstone's Theory of Comparative Judgment, and
        the double exponential distribution", 1977, J. Mathematical Psychology 15 (the draw).

    Example:
        >>> PlackettLuce(3).log_prob(torch.tensor([[2, 0, 1]])).detach()
        tensor([-1.7918])
    """

    def __init__(self, size: int, net: nn.Module | None = None) -> None:
        super().__init__()
        if size < 1:
            raise ValueError(f"size: expected at least 1, got {size}")
        self.event_shape = (size,)
        self.net = net
        if net is None:
            self.scores = nn.Parameter(torch.zeros(size))

    def _scores(self, context: Context | None) -> Tensor:
        """``(b, n)``; ``b`` is 1 without a network."""
        return self.scores[None] if self.net is None else ask(self.net, context, self.event_shape)

    def log_prob(self, x: X, context: Context | None = None) -> PerSample:
        """Nats, ``(b,)``."""
        every = torch.arange(self.event_shape[0], device=x.device)
        check_domain(x.sort(1).values == every, "x: expected orders of 0 to n - 1, got others")
        scores = self._scores(context).expand(len(x), -1).gather(1, x.long())
        left = scores.flip(1).logcumsumexp(1).flip(1)
        return sum_event(scores - left)

    def rsample(
        self,
        n: int | None = None,
        context: Context | None = None,
        *,
        temperature: float | Tensor = 1.0,
    ) -> X:
        """Draw orders; see :meth:`Distribution.rsample`."""
        rows = count_draws(n, context)
        read = None if self.net is None else repeat_context(context, n)
        scores = self._scores(read).detach().expand(rows, -1)
        noise = -torch.empty_like(scores).exponential_().log()
        noisy = scores + noise * scale_of_temperature(temperature, scores)
        return noisy.argsort(dim=1, descending=True, stable=True)

    def extra_repr(self) -> str:
        """What ``repr`` shows."""
        return f"{self.event_shape[0]}"
