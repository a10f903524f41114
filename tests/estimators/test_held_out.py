"""When to stop, and whether to begin."""

from __future__ import annotations

import torch

from lambent.estimators.held_out import _best, _beyond_noise
from lambent.train import Curve


def curve(steps: list[int], nats: list[float], rows: int = 50) -> Curve:
    found = Curve(steps=steps)
    noise = 0.01 * torch.randn(rows)
    found.held_out = [value + noise for value in nats]
    return found


def test_parts_are_compared_after_the_same_steps() -> None:
    # The second part ended early and was looked at after other steps.
    first = curve([0, 10, 20, 30], [0.0, 1.0, 2.0, 1.5])
    second = curve([0, 5, 10], [0.0, 0.5, 1.0])
    steps, gain = _best([first, second])
    assert steps == 20
    assert abs(gain - 1.5) < 1e-5


def test_no_more_than_noise_is_no_gain() -> None:
    noise = torch.randn(1000)
    noise = noise - noise.mean()
    assert not _beyond_noise(noise + 0.05)
    assert _beyond_noise(noise + 0.1)
    assert not _beyond_noise(-noise.abs())
    still = curve([0, 10], [0.0, 0.0])
    assert _best([still, still]) == (0, 0.0)
