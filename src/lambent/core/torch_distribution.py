"""A distribution of ours, given a context, with the interface of torch.distributions."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor
from torch.distributions import constraints

from lambent.core.distribution import Distribution, repeat_context
from lambent.types import Context


class TorchDistribution(torch.distributions.Distribution):
    """A :class:`Distribution` at a fixed context.

    Args:
        distribution: The density.
        context: ``m`` rows for a batch shape of ``(m,)``, or nothing for ``()``.
    """

    has_rsample = True
    arg_constraints: ClassVar[dict[str, constraints.Constraint]] = {}

    def __init__(self, distribution: Distribution, context: Context | None = None) -> None:
        self.distribution = distribution
        self.context = context
        first = context[0] if isinstance(context, tuple) else context
        batch_shape = torch.Size() if first is None else torch.Size([first.shape[0]])
        super().__init__(batch_shape, torch.Size(distribution.event_shape), validate_args=False)

    @property
    def support(self) -> constraints.Constraint:
        """Real events of the event's rank; the density itself refuses what it does not cover."""
        return constraints.independent(constraints.real, len(self.event_shape))

    def log_prob(self, value: Tensor) -> Tensor:
        """Nats, ``(*sample_shape, *batch_shape)``."""
        lead = value.shape[: value.ndim - len(self.event_shape)]
        if not self.batch_shape:
            flat = self.distribution.log_prob(value.reshape(-1, *self.event_shape))
            return flat.reshape(lead)
        lead = torch.broadcast_shapes(lead, self.batch_shape)
        (rows,) = self.batch_shape
        by_row = value.expand(*lead, *self.event_shape).reshape(-1, rows, *self.event_shape)
        draws = len(by_row)
        flat = self.distribution.log_prob(
            by_row.transpose(0, 1).reshape(-1, *self.event_shape),
            repeat_context(self.context, draws),
        )
        return flat.reshape(rows, draws).T.reshape(lead)

    def sample(
        self, sample_shape: torch.Size | list[int] | tuple[int, ...] = torch.Size()
    ) -> Tensor:
        """``(*sample_shape, *batch_shape, *event_shape)``, without gradients."""
        with torch.no_grad():
            return self.rsample(sample_shape)

    def rsample(
        self, sample_shape: torch.Size | list[int] | tuple[int, ...] = torch.Size()
    ) -> Tensor:
        """``(*sample_shape, *batch_shape, *event_shape)``."""
        shape = torch.Size(sample_shape)
        flat = self.distribution.rsample(shape.numel(), self.context)
        if not self.batch_shape:
            return flat.reshape(*shape, *self.event_shape)
        by_row = flat.reshape(*self.batch_shape, shape.numel(), *self.event_shape)
        return by_row.transpose(0, 1).reshape(*shape, *self.batch_shape, *self.event_shape)
