"""Training on rows that are held in memory, in a plain loop: no files, no checkpoints."""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from lambent.core.flow import Flow
from lambent.train.averages import kept
from lambent.train.optimizers import fuses

Rows = tuple[Tensor, Tensor | None]
"""Events, ``(b, *event_shape)``, and a row of context for each."""

_DECAY = 0.99  # of the average of the weights
_CLIP = 10.0  # of the gradient's norm: a few rows far out would decide a step alone
_LONGEST = 0.05  # part of the time between two looks
_CHUNK = 4096  # rows in one pass that takes no gradient


@dataclass(frozen=True, kw_only=True)
class RowsConfig:
    """How :func:`train_on_rows` goes about it."""

    steps: int
    """At which the step size reaches 0."""
    last_step: int | None = None
    """Where training stops before that."""
    batch_size: int = 256
    """Rows in a step."""
    learning_rate: float = 1e-3
    """The first step size."""
    weight_decay: float = 0.0
    """Of matrices."""
    noise: float = 0.0
    """Deviation of the normal noise that is added to rows."""
    check_every: int = 50
    """Steps between two looks at the rows held out."""
    patience: int = 10
    """Looks without a new best after which training stops."""


@dataclass
class Curve:
    """What became of a training."""

    steps: list[int] = field(default_factory=list)
    """Steps taken at each look."""
    held_out: list[Tensor] = field(default_factory=list)
    """Nats of each row held out, at each look; the first is before the first step."""
    taken: int = 0
    """Steps taken in all."""
    ended: str = "steps"
    """By what: ``steps``, ``patience``, ``time``, ``interrupt`` or ``not finite``."""

    @property
    def best(self) -> int:
        """The look with the highest mean."""
        return int(torch.stack([v.mean() for v in self.held_out]).nan_to_num(-math.inf).argmax())


def train_on_rows(
    flow: Flow,
    rows: Rows,
    held_out: Rows | None,
    config: RowsConfig,
    *,
    max_seconds: float | None = None,
    show: Callable[[int, Tensor], None] | None = None,
) -> Curve:
    """Train a flow by maximum likelihood, in place; it ends in eval mode, its weights an average.

    AdamW with a step size that falls along a cosine to 0, at the last step or the last second. With
    rows held out, the flow ends as it was at the look where their mean was highest, which may be
    the first, before any step. A KeyboardInterrupt ends the training, not the program.

    Args:
        flow: The flow, initialised.
        rows: What it learns.
        held_out: What it is looked at on.
        config: Sizes.
        max_seconds: How long, at most.
        show: Called at each look with the steps taken and the nats of the rows held out.

    Returns:
        The looks.
    """
    run = _Run(flow, rows, held_out, config, max_seconds, show)
    try:
        run.go()
    except KeyboardInterrupt:
        run.curve.ended = "interrupt"
    flow.load_state_dict(run.averaged.state_dict() if held_out is None else run.best)
    flow.eval()
    return run.curve


@torch.no_grad()
def log_prob_of_rows(flow: Flow, x: Tensor, context: Tensor | None) -> Tensor:
    """The density of rows, some thousand at a time.

    Args:
        flow: The flow.
        x: Events, ``(b, *event_shape)``.
        context: A row for each.

    Returns:
        Nats, ``(b,)``.
    """
    parts = [slice(i, i + _CHUNK) for i in range(0, len(x), _CHUNK)]
    return torch.cat([flow.log_prob(x[p], None if context is None else context[p]) for p in parts])


class _Run:
    """A training on its way."""

    def __init__(
        self,
        flow: Flow,
        rows: Rows,
        held_out: Rows | None,
        config: RowsConfig,
        max_seconds: float | None,
        show: Callable[[int, Tensor], None] | None,
    ) -> None:
        self.start = time.monotonic()
        self.flow, self.rows, self.held_out = flow, rows, held_out
        self.config, self.max_seconds, self.show = config, max_seconds, show
        self.look_seconds = 0.0  # the last look took
        self.looked_at = 0.0  # part of the time
        self.curve = Curve()
        self.averaged = copy.deepcopy(flow).eval()
        self.average: list[Tensor] = list(self.averaged.parameters())
        self.best = copy.deepcopy(self.averaged.state_dict())
        self.parameters: list[Tensor] = list(flow.parameters())
        groups: list[dict[str, Any]] = [
            {"params": [p for p in self.parameters if p.ndim > 1]},
            {"params": [p for p in self.parameters if p.ndim <= 1], "weight_decay": 0.0},
        ]
        self.optimizer = torch.optim.AdamW(
            groups, weight_decay=config.weight_decay, fused=fuses(self.parameters)
        )

    def go(self) -> None:
        """Train until something ends it."""
        last = self.config.last_step or self.config.steps
        self.look()
        order = self.batches()
        self.flow.train()
        while self.curve.taken < last:
            share = self.share()
            if share >= 1:
                self.curve.ended = "time"
                self.look()
                break
            if not self.step(next(order), share):
                self.curve.ended = "not finite"
                break
            self.curve.taken += 1
            if self.due() and not self.look():
                self.curve.ended = "patience"
                break
        else:
            if last % self.config.check_every:
                self.look()

    def share(self) -> float:
        """How much of the steps, or of the time, is over."""
        return max(self.curve.taken / self.config.steps, self.spent())

    def spent(self) -> float:
        """How much of the time is over, but for one last look."""
        if self.max_seconds is None:
            return 0.0
        there_is = self.max_seconds - self.look_seconds
        return (time.monotonic() - self.start) / there_is if there_is > 0 else 1.0

    def due(self) -> bool:
        """Whether it is time for a look: after some steps, or sooner where steps take long."""
        spent = self.spent()
        if self.curve.taken % self.config.check_every == 0:
            self.looked_at = spent
            return True
        if spent < self.looked_at + _LONGEST:
            return False
        self.looked_at = spent
        return True

    def batches(self) -> Iterator[Tensor]:
        """Indices of rows: all of them in a random order, again and again."""
        count, size = len(self.rows[0]), min(self.config.batch_size, len(self.rows[0]))
        while True:
            order = torch.randperm(count)
            for i in range(0, count - size + 1, size):
                yield order[i : i + size]

    def step(self, chosen: Tensor, share: float) -> bool:
        """One step; whether its gradient was finite."""
        for group in self.optimizer.param_groups:
            group["lr"] = self.config.learning_rate * (1 + math.cos(math.pi * share)) / 2
        x, context = self.rows
        x, context = self.noisy(x[chosen]), None if context is None else context[chosen]
        loss = -self.flow.log_prob(x, context).mean()
        self.optimizer.zero_grad()
        loss.backward()
        norm = nn.utils.clip_grad_norm_(self.parameters, _CLIP)
        if not math.isfinite(float(norm)):
            return False
        self.optimizer.step()
        keep = kept(_DECAY, self.curve.taken + 1)
        with torch.no_grad():
            torch._foreach_lerp_(self.average, self.parameters, 1 - keep)
        return True

    def noisy(self, x: Tensor) -> Tensor:
        """Rows with noise."""
        return x + self.config.noise * torch.randn_like(x) if self.config.noise else x

    def look(self) -> bool:
        """Look at the rows held out, and remember the best weights; whether to go on."""
        if self.held_out is None:
            return True
        curve, before = self.curve, time.monotonic()
        values = log_prob_of_rows(self.averaged, *self.held_out)
        curve.steps.append(curve.taken)
        curve.held_out.append(values)
        if self.show is not None:
            self.show(curve.taken, values)
        last = len(curve.steps) - 1
        if curve.best == last:
            self.best = copy.deepcopy(self.averaged.state_dict())
        self.look_seconds = time.monotonic() - before
        return last - curve.best < self.config.patience
