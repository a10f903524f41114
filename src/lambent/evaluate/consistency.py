"""How well what a flow draws agrees with the images it is conditioned on."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from lambent.core.context import check_task, task_of
from lambent.core.flow import Flow
from lambent.core.seed import seeded
from lambent.data import EventSet, Task
from lambent.evaluate.events import events


@dataclass(frozen=True)
class Consistency:
    """What :func:`measure_consistency` found."""

    psnr: float
    """Of what is given, were the draws the images, against what was given, in decibels."""
    images: int
    """How many images a draw was made for."""


@torch.no_grad()
def measure_consistency(
    flow: Flow,
    images: EventSet,
    *,
    batch_size: int = 64,
    seed: int = 0,
    temperature: float = 1.0,
) -> Consistency:
    """Draw once for what the flow's task gives of each image, and see what it gives of the draw.

    Args:
        flow: A flow with a task; put in eval mode.
        images: The images.
        batch_size: Images at a time.
        seed: Of the draws.
        temperature: Scale of the latents.

    Returns:
        The figures.

    Raises:
        ValueError: If the flow has no task.
    """
    flow.eval()
    task = task_needed(flow)
    misfits = []
    with seeded(seed):
        for _, context in events(flow, images, batch_size):
            drawn = flow.sample(None, context, temperature=temperature)
            given = context[-1] if isinstance(context, tuple) else context
            assert isinstance(given, Tensor)
            misfits.append(task.misfit(drawn, given).cpu())
    found = torch.cat(misfits)
    return Consistency(psnr_of(found), len(found))


def task_needed(flow: Flow) -> Task:
    """The task of a flow.

    Args:
        flow: The flow.

    Returns:
        The task.

    Raises:
        ValueError: If it has none.
    """
    check_task(flow)
    task = task_of(flow)
    if task is None:
        raise ValueError("task: expected a flow with an image-to-image task, got one without")
    return task


def psnr_of(misfits: Tensor) -> float:
    """Peak signal-to-noise ratio of mean squared errors ``(n,)`` in grey levels, in decibels.

    ``10 log10(255^2 / mean)``; infinite where nothing differs.
    """
    error = float(misfits.mean())
    return 10 * math.log10(255**2 / error) if error else math.inf
