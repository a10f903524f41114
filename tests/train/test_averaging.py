from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from lambent import Flow, Images, TrainConfig

from .test_module import train

NewFlow = Callable[..., Flow]
Quick = Callable[..., TrainConfig]


@pytest.mark.parametrize("after", [0, 3])
def test_polyak_is_the_mean_of_the_iterates(
    after: int, new_flow: NewFlow, images: Images, quick: Quick, tmp_path: Path
) -> None:
    config = quick(max_steps=7, learning_rate=0.05, averaging="polyak", average_after=after)
    watch = train(new_flow(), images, config, tmp_path)
    checkpoint = torch.load(tmp_path / "checkpoints/last.ckpt", weights_only=True)
    for key in watch.weights[0]:
        mean = torch.stack([w[key].double() for w in watch.weights[after:]]).mean(0)
        found = checkpoint["state_dict"][key].double()
        torch.testing.assert_close(found, mean, rtol=0, atol=1e-6)


def test_the_exponential_average_may_begin_later(
    new_flow: NewFlow, images: Images, quick: Quick, tmp_path: Path
) -> None:
    config = quick(max_steps=5, learning_rate=0.05, ema_decay=0.3, average_after=2)
    watch = train(new_flow(), images, config, tmp_path)
    average = dict(watch.weights[2])
    for n, weights in enumerate(watch.weights[3:], start=1):
        kept = min(0.3, (1 + n) / (10 + n))
        average = {k: kept * v + (1 - kept) * weights[k] for k, v in average.items()}
    checkpoint = torch.load(tmp_path / "checkpoints/last.ckpt", weights_only=True)
    for key, value in average.items():
        torch.testing.assert_close(checkpoint["state_dict"][key], value, rtol=0, atol=1e-6)
