"""Adam that updates weights inside the backward pass, so that gradients do not pile up."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import torch
from torch import nn

ROOM = 2**20
"""Bytes of gradients that may wait for an update, beside those of one parameter."""


@dataclass
class _Arrivals:
    """What a backward pass has brought so far."""

    waiting: list[tuple[int, nn.Parameter]] = field(default_factory=list)
    """Parameters to update next, with the number of their group."""
    size: int = 0
    """Bytes of their gradients."""
    seen: set[nn.Parameter] = field(default_factory=set)
    """All parameters that had a gradient."""
    updated: bool = False
    """Whether some have been updated."""


class AdamWInBackward(torch.optim.AdamW):
    """AdamW whose step goes along with the backward pass that its closure runs.

    A parameter whose gradient is complete is not read again in that pass, so it may change. As
    soon as the gradients that wait fill some room, their parameters are updated and they are
    freed; what is left is updated after the closure. Weights and state equal those of
    :class:`torch.optim.AdamW` to the bit.

    A norm over all gradients does not exist before the first update, so they cannot be clipped by
    it. The closure may run one backward pass, on one device.

    Args:
        groups: As for :class:`torch.optim.AdamW`.
        lr: Step size.
        betas: Decays of the two moments.
        fused: Whether one kernel does a whole update.
        check: Called with the parameters of the next update; it may raise.
        room: Bytes that may wait; ``ROOM`` if not given.
    """

    def __init__(
        self,
        groups: list[dict[str, Any]],
        *,
        lr: float,
        betas: tuple[float, float],
        fused: bool,
        check: Callable[[Sequence[nn.Parameter]], None],
        room: int | None = None,
    ) -> None:
        super().__init__(groups, lr=lr, betas=betas, fused=fused)
        self.check = check
        self.room = ROOM if room is None else room
        self.torn = False
        """Whether an error came between the first and the last update of a step."""

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Take one step.

        Args:
            closure: Runs the backward pass; without one, the gradients that are there are used.

        Returns:
            What the closure returns.
        """
        loss = None
        if closure is not None:
            with torch.enable_grad(), self._updating():
                loss = closure()
        super().step()
        self.zero_grad()
        return loss

    @contextmanager
    def _updating(self) -> Iterator[None]:
        """Update parameters as their gradients come in."""
        arrivals = _Arrivals()
        handles = [
            p.register_post_accumulate_grad_hook(partial(self._arrived, arrivals, i))
            for i, group in enumerate(self.param_groups)
            for p in group["params"]
            if p.requires_grad
        ]
        try:
            yield
        except BaseException:
            self.torn = arrivals.updated
            raise
        finally:
            for handle in handles:
                handle.remove()

    def _arrived(self, arrivals: _Arrivals, group: int, p: nn.Parameter) -> None:
        """Note that a parameter of a group has its gradient."""
        if p in arrivals.seen:
            raise RuntimeError("optimizer_in_backward: expected one backward pass in a step, got 2")
        arrivals.seen.add(p)
        arrivals.waiting.append((group, p))
        arrivals.size += p.numel() * p.element_size()
        if arrivals.size >= self.room:
            self.check([q for _, q in arrivals.waiting])
            arrivals.updated = True
            self._update(arrivals.waiting)
            arrivals.waiting, arrivals.size = [], 0

    def _update(self, waiting: list[tuple[int, nn.Parameter]]) -> None:
        """A step of some parameters alone, which frees their gradients."""
        groups = self.param_groups
        self.param_groups = [
            {**group, "params": [p for j, p in waiting if j == i]} for i, group in enumerate(groups)
        ]
        try:
            super().step()
        finally:
            self.param_groups = groups
        for _, p in waiting:
            p.grad = None
