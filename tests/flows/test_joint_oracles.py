"""Joint flows against distributions that are known."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from lambent import (
    DataConfig,
    Flow,
    JointConfig,
    conditional_log_prob,
    joint,
    joint_sample,
    load_images,
    rule_error,
    seeded,
)
from lambent.data import crescents, sectors, seven_shapes
from lambent.evaluate import discrepancy
from lambent.train import train_on_draws


def linear(n: int) -> tuple[Tensor, Tensor]:
    """``x | y ~ N(2 y, 1/4)``, ``y ~ N(0, 1)``."""
    y = torch.randn(n, 1)
    return 2 * y + 0.5 * torch.randn(n, 1), y


@pytest.mark.slow
def test_a_linear_gaussian_is_found() -> None:
    """Entropy of the truth is 0.7258 nats."""
    with seeded(0):
        flow = joint(JointConfig(shape=(1,), context_features=1, couplings=8, width=32))
        train_on_draws(flow, linear, steps=800, anneal_steps=40)
        x, y = linear(4000)
        drawn = joint_sample(flow, torch.tensor([[-1.0], [0.0], [1.0]]), 20_000)
    for i, given in enumerate((-1.0, 0.0, 1.0)):
        of_one = drawn.x[20_000 * i : 20_000 * (i + 1)]
        assert float(of_one.mean()) == pytest.approx(2 * given, abs=0.05)
        assert float(of_one.std()) == pytest.approx(0.5, abs=0.03)
    assert float(rule_error(flow, x, y).mean()) < 1e-2
    assert float(drawn.condition_error.mean()) < 1e-2
    assert float(-conditional_log_prob(flow, x, y).detach().mean()) < 0.7458


def gap_of_objective(noise: float) -> float:
    """How far what is minimised falls below the conditional likelihood, at a weak rule."""
    with seeded(0):
        flow = joint(
            JointConfig(
                shape=(2,),
                conditioning="label",
                classes=2,
                couplings=12,
                width=32,
                rule_weight=10.0,
                condition_noise=noise,
            )
        )

        def draw(n: int) -> tuple[Tensor, Tensor]:
            labels = torch.randint(2, (n,))
            return crescents(labels), labels

        train_on_draws(flow, draw, steps=400)
        x, labels = draw(1000)
    return float((flow.log_prob(x, labels) - conditional_log_prob(flow, x, labels)).detach().mean())


@pytest.mark.slow
def test_gaps_between_labels_are_a_trap_that_noise_closes() -> None:
    """Without noise the log-det of the stretched gap counts as likelihood, which it is not."""
    assert gap_of_objective(0.0) > 0.7
    assert gap_of_objective(0.05) < 0.3


def of_class(flow: Flow, label: int, halves: int = 8, size: int = 2000) -> tuple[float, float]:
    """Mean MMD of draws given a label against data, and of two halves of data."""
    drawn, between = 0.0, 0.0
    for _ in range(halves):
        one, other = crescents(torch.full((2 * size,), label)).chunk(2)
        drawn += discrepancy(flow.sample(size, torch.tensor([label])), other) / halves
        between += discrepancy(one, other) / halves
    return drawn, between


@pytest.mark.slow
def test_draws_of_crescents_are_as_near_to_data_as_data_are() -> None:
    """Within twice the MMD of two held-out halves, for each class, and so not from the start."""
    with seeded(0):
        config = JointConfig(shape=(2,), conditioning="label", classes=2, couplings=18, width=32)
        flow = joint(config)

        def draw(n: int) -> tuple[Tensor, Tensor]:
            labels = torch.randint(2, (n,))
            return crescents(labels), labels

        train_on_draws(flow, draw, steps=100)
        early = [of_class(flow, label) for label in (0, 1)]
        train_on_draws(flow, draw, steps=2000, anneal_steps=100)
        found = [of_class(flow, label) for label in (0, 1)]
    assert all(drawn > 2 * between for drawn, between in early)
    assert all(drawn < 2 * between for drawn, between in found)


@pytest.mark.slow
def test_draws_lie_in_the_sector_of_every_angle() -> None:
    """Of 16 angles; within 0.05 rad of it, more than 95 % of the draws given each."""
    with seeded(0):
        flow = joint(JointConfig(shape=(2,), context_features=1, couplings=12, width=64))

        def draw(n: int) -> tuple[Tensor, Tensor]:
            angles = 2 * torch.pi * torch.rand(n, 1)
            return sectors(angles), angles

        train_on_draws(flow, draw, steps=3000, anneal_steps=150)
        asked = 2 * torch.pi * torch.arange(16)[:, None] / 16
        drawn = joint_sample(flow, asked, 4000)
    x = drawn.x.reshape(16, 4000, 2)
    off = torch.remainder(torch.atan2(x[..., 1], x[..., 0]) - asked + torch.pi, 2 * torch.pi)
    inside = ((off - torch.pi).abs() <= 0.55).float().mean(1)
    assert inside.min() > 0.95
    assert float(drawn.condition_error.mean()) < 1e-2


def gap_of_enlarged(noise: float) -> float:
    """The same for what digits of 4 x 4 pixels lack at 2 x 2, for each pixel."""
    digits = load_images("digits", DataConfig(split="all"))[:][0]
    fine = F.avg_pool2d((digits.float() + 0.5) / 256, 2)
    coarse = F.avg_pool2d(fine, 2).repeat_interleave(2, -1).repeat_interleave(2, -2)
    with seeded(0):
        flow = joint(
            JointConfig(
                shape=(1, 4, 4),
                context_shape=(1, 4, 4),
                couplings=10,
                width=8,
                condition_noise=noise,
                haar=True,
            )
        )

        def draw(n: int) -> tuple[Tensor, Tensor]:
            rows = torch.randint(len(fine), (min(n, 512),))
            x = fine[rows] - coarse[rows]
            return x + 0.004 * torch.randn_like(x), coarse[rows]

        train_on_draws(flow, draw, steps=200, batch_size=64, anneal_steps=20)
        x, y = draw(64)
    gap = (flow.log_prob(x, y) - conditional_log_prob(flow, x, y)).detach().mean()
    return float(gap) / 16


@pytest.mark.slow
def test_blocks_of_equal_pixels_in_the_condition_are_a_trap_that_noise_closes() -> None:
    """Differences that are always 0 can be stretched without the rule noticing."""
    assert gap_of_enlarged(0.0) > 0.5
    assert abs(gap_of_enlarged(0.02)) < 0.05


def test_points_are_where_their_conditions_have_them() -> None:
    labels = torch.arange(2).repeat(500)
    centre = torch.tensor([[0.0, 0.0], [1.0, 0.5]])[labels]
    radius = (crescents(labels) - centre).norm(dim=1)
    assert float((radius - 1).abs().max()) < 0.3
    shapes = torch.arange(7).repeat(200)
    assert float(seven_shapes(shapes).abs().max()) < 1.5
    circle = seven_shapes(torch.zeros(500, dtype=torch.int64)).norm(dim=1)
    assert float(circle.std()) == pytest.approx(0.05, rel=0.2)
    angle = 2 * torch.pi * torch.rand(500, 1)
    points = sectors(angle)
    off = torch.atan2(points[:, 1], points[:, 0]) - angle[:, 0]
    assert float(torch.remainder(off + torch.pi, 2 * torch.pi).sub(torch.pi).abs().max()) < 0.501
    assert float(points.norm(dim=1).max()) <= 1
