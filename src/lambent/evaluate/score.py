"""Bits per dimension image by image."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor

from lambent.core.flow import Flow
from lambent.core.seed import seeded
from lambent.data import EventSet
from lambent.evaluate.events import events
from lambent.evaluate.importance import Draws


@torch.no_grad()
def score(
    flow: Flow,
    images: EventSet,
    each: Callable[[Tensor], None],
    *,
    batch_size: int = 256,
    seed: int = 0,
    importance_samples: int = 1,
) -> None:
    """Hand on the bits per dimension of each image; their mean is :func:`measure`'s figure.

    Args:
        flow: The flow; put in eval mode.
        images: The images, with labels if the flow is conditional.
        each: Called with the bits of one batch after another, float64 ``(b,)``, on the CPU.
        batch_size: Images at a time.
        seed: Of the dequantisation noise.
        importance_samples: Draws of the noise for each image; see :func:`measure`.

    Raises:
        ValueError: If a conditional flow meets images without labels, several draws are asked of
            a flow that draws none, or a number is less than 1.

    Example:
        >>> from lambent import GlowConfig, Images, glow
        >>> flow = glow(GlowConfig(shape=(1, 4, 4), grey_levels=4, steps=1, width=8))
        >>> score(
        ...     flow, Images(torch.zeros(3, 1, 4, 4, dtype=torch.uint8)), lambda b: print(b.shape)
        ... )
        torch.Size([3])
    """
    flow.eval()
    draws = Draws(importance_samples, seed)
    draws.check_allows(flow)
    dims = math.prod(flow.event_shape)
    with seeded(seed):
        for x, context in events(flow, images, batch_size):
            log_prob = partial(flow.log_prob, x, context)
            nats = draws.log_mean(log_prob(), log_prob)
            each(-nats.double() / (dims * math.log(2)))
