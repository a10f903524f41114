"""Training on data that is drawn anew at every step, in a plain loop."""

from __future__ import annotations

import time
from collections.abc import Callable

import torch
from torch import Tensor, nn

from lambent.core.flow import Flow
from lambent.core.initialize import initialize
from lambent.transforms import anneal

Draw = Callable[[int], tuple[Tensor, Tensor | None]]
"""Draws so many events and their contexts."""


def train_on_draws(
    flow: Flow,
    draw: Draw,
    *,
    steps: int,
    batch_size: int = 256,
    learning_rate: float = 2e-3,
    anneal_steps: int = 0,
    max_seconds: float | None = None,
) -> int:
    """Train a flow by maximum likelihood on fresh draws, in place; it ends in eval mode.

    Adam with a step size that falls along a cosine to 0, at the last step or the last second.

    Args:
        flow: The flow.
        draw: Draws a batch.
        steps: How many, at most.
        batch_size: Events in a step.
        learning_rate: The first step size.
        anneal_steps: Steps over which data comes in for noise, where the flow has a layer for it.
        max_seconds: How long, at most.

    Returns:
        The steps taken.

    Raises:
        ValueError: If a number is out of range.
    """
    for name, value in (("steps", steps), ("batch_size", batch_size)):
        if value < 1:
            raise ValueError(f"{name}: expected at least 1, got {value}")
    if anneal_steps < 0:
        raise ValueError(f"anneal_steps: expected at least 0, got {anneal_steps}")
    initialize(flow, *draw(4096))
    flow.train()
    trained = [p for p in flow.parameters() if p.requires_grad]
    optimizer = torch.optim.Adam(trained, lr=learning_rate)
    start = time.monotonic()
    taken = 0
    while taken < steps:
        spent = 0.0 if max_seconds is None else (time.monotonic() - start) / max_seconds
        if spent >= 1:
            break
        share = torch.tensor(max(taken / steps, spent))
        for group in optimizer.param_groups:
            group["lr"] = learning_rate * float((1 + torch.cos(torch.pi * share)) / 2)
        anneal(flow, 1.0 if taken >= anneal_steps else taken / anneal_steps)
        loss = -flow.log_prob(*draw(batch_size)).mean()
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(trained, 100.0)
        optimizer.step()
        taken += 1
    anneal(flow, 1.0)
    flow.eval()
    return taken
