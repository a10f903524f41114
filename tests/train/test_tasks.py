"""A flow that is given an image learns to use it."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from lambent import Flow, GlowConfig, TrainConfig, fit, glow, load_images, measure, seeded
from lambent.core.context import context_of
from lambent.data import DataConfig, task_named
from lambent.evaluate import measure_consistency, psnr_of


@pytest.mark.slow
def test_super_resolution_of_digits() -> None:
    """Digits of 8 x 8 from 4 x 4, in half a minute."""
    train, held_out = (
        load_images("digits", DataConfig(split=split, validation=0.2))
        for split in ("train", "validation")
    )
    config = TrainConfig(max_steps=300, batch_size=64, validate_every=150, ema_decay=0.98)
    sizes = {"shape": (1, 8, 8), "grey_levels": 17, "steps": 2, "width": 32}

    def trained(**settings: object) -> Flow:
        with seeded(0):
            flow = glow(GlowConfig(**sizes, **settings))  # type: ignore[arg-type]
        fit(flow, train, held_out, config=config)
        return flow

    plain = trained()
    flow = trained(conditioning="image", task="superres:2", context_features=16)
    bits, of_plain = measure(flow, held_out).bits_per_dim, measure(plain, held_out).bits_per_dim
    assert bits < of_plain - 0.4

    x, y = held_out[:]
    context = context_of(flow, x, y)
    assert isinstance(context, Tensor)
    with seeded(0), torch.no_grad():
        right, wrong = flow.log_prob(x, context), flow.log_prob(x, context.roll(1, 0))
    assert (right - wrong).mean() > 300  # nats an image: the draws know which image is theirs

    task = task_named("superres:2")
    with seeded(0):
        others = psnr_of(task.misfit(plain.sample(len(x)), context))
    assert measure_consistency(flow, held_out).psnr > others + 10
