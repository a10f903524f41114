from __future__ import annotations

import pytest
import torch
from torch import Tensor

from lambent import JointConfig, joint
from lambent.train import train_on_draws
from lambent.transforms import Anneal


def draw(n: int) -> tuple[Tensor, Tensor]:
    y = torch.randn(n, 1)
    return 2 * y + 0.5 * torch.randn(n, 1), y


def test_training_lowers_the_objective_and_leaves_no_noise() -> None:
    torch.manual_seed(0)
    flow = joint(JointConfig(shape=(1,), context_features=1, couplings=4, width=8))
    x, y = draw(500)
    assert train_on_draws(flow, draw, steps=1, learning_rate=1e-9) == 1
    before = float(flow.log_prob(x, y).detach().mean())
    assert train_on_draws(flow, draw, steps=60, batch_size=64, anneal_steps=100) == 60
    assert float(flow.log_prob(x, y).detach().mean()) > before + 1
    assert not flow.training
    assert [m.alpha for m in flow.modules() if isinstance(m, Anneal)] == [1.0]


def test_time_ends_it() -> None:
    flow = joint(JointConfig(shape=(1,), context_features=1, couplings=2, width=4))
    assert train_on_draws(flow, draw, steps=10**9, max_seconds=0.2) < 1000


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"steps": 0}, "steps: expected at least 1, got 0"),
        ({"steps": 1, "batch_size": 0}, "batch_size: expected at least 1, got 0"),
        ({"steps": 1, "anneal_steps": -1}, "anneal_steps: expected at least 0, got -1"),
    ],
)
def test_bad_settings_are_refused(settings: dict[str, int], message: str) -> None:
    flow = joint(JointConfig(shape=(1,), context_features=1, couplings=2, width=4))
    with pytest.raises(ValueError, match=message):
        train_on_draws(flow, draw, **settings)
