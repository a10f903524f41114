"""Categories one after another, each given those before it."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lambent.core.distribution import (
    Distribution,
    count_draws,
    repeat_context,
    scale_of_temperature,
)
from lambent.core.transform import widened
from lambent.errors import check_domain
from lambent.types import Context, PerSample, X


class AutoregressiveCategories(Distribution):
    r"""``log P(x | c) = sum_j ln softmax(net_j(onehot(x_1 ... x_{j-1}), c))[x_j]``, exact.

    Temperature divides the logits; at 0 each category is the likeliest. Densities cost a pass of
    every network, and so do draws.

    Args:
        classes: How many categories each number of an event has: ``0 ... K_j - 1``.
        nets: One for each: ``net_j(a, context) -> (b, K_j)``, whose ``a`` is the one-hot form of
            those before, ``(b, K_1 + ... + K_{j-1})``. A tuple of contexts reaches it as one,
            side by side.

    Shape:
        Events are ``(d,)`` whole numbers, of any type; draws are float32 or the networks' own.

    Raises:
        ValueError: If there are not as many networks as numbers.
        DomainError: If a number is no category.

    References:
        B. Uria et al., "Neural Autoregressive Distribution Estimation", 2016, arXiv:1605.02226.

    Example:
        >>> from lambent.nn import MLP, Constant
        >>> law = AutoregressiveCategories((2, 3), [Constant(2), MLP(2, 3)])
        >>> law(torch.tensor([[1.0, 2.0]])).exp()
        tensor([0.1667], grad_fn=<ExpBackward0>)
    """

    def __init__(self, classes: Sequence[int], nets: Sequence[nn.Module]) -> None:
        super().__init__()
        if len(classes) != len(nets) or not classes:
            raise ValueError(f"nets: expected {len(classes)}, at least one, got {len(nets)}")
        self.classes = tuple(classes)
        self.nets = nn.ModuleList(nets)
        self.event_shape = (len(self.classes),)

    def _log_probs(self, j: int, before: Tensor, context: Context | None) -> Tensor:
        """Of every category of the ``j``-th number, ``(b, K_j)``."""
        joined = torch.cat(context, 1) if isinstance(context, tuple) else context
        return widened(self.nets[j](before, joined)).log_softmax(1)

    def _start(self, rows: int) -> Tensor:
        return next(self.nets[0].parameters()).new_empty(rows, 0)

    def log_prob(self, x: X, context: Context | None = None) -> PerSample:
        """Nats, ``(b,)``."""
        codes = x.long()
        limits = torch.tensor(self.classes, device=x.device)
        check_domain(
            (codes == x) & (codes >= 0) & (codes < limits),
            f"x: expected whole numbers from 0 and below {self.classes}, got others",
        )
        before = self._start(len(x))
        total = widened(before.new_zeros(len(x)))
        for j, count in enumerate(self.classes):
            log_probs = self._log_probs(j, before, context)
            total = total + log_probs.gather(1, codes[:, j : j + 1])[:, 0]
            before = torch.cat((before, F.one_hot(codes[:, j], count).to(before.dtype)), 1)
        return total

    def rsample(
        self,
        n: int | None = None,
        context: Context | None = None,
        *,
        temperature: float | Tensor = 1.0,
    ) -> X:
        """Draw events; no gradient goes through a choice; see :meth:`Distribution.rsample`."""
        rows = count_draws(n, context)
        context = repeat_context(context, n)
        before = self._start(rows)
        heat = scale_of_temperature(temperature, before)
        drawn = []
        for j, count in enumerate(self.classes):
            log_probs = self._log_probs(j, before, context)
            gumbel = -torch.empty_like(log_probs).exponential_().log()
            code = (log_probs + heat * gumbel).argmax(1)
            drawn.append(code)
            before = torch.cat((before, F.one_hot(code, count).to(before.dtype)), 1)
        return torch.stack(drawn, 1).to(before.dtype)

    def extra_repr(self) -> str:
        """What ``repr`` shows."""
        return f"{self.classes}"
