"""Orders, drawn one after another by scores."""

from __future__ import annotations

import itertools
import math

import pytest
import torch

from lambent.core import seeded
from lambent.distributions import PlackettLuce
from lambent.errors import DomainError
from lambent.testing import perturbed

from ..networks import Dense


def orders(size: int) -> torch.Tensor:
    return torch.tensor(list(itertools.permutations(range(size))))


def of_context() -> PlackettLuce:
    return perturbed(PlackettLuce(4, Dense(2, 4)), 1.0, seed=0)


def by_hand(scores: list[float], order: tuple[int, ...]) -> float:
    """One after another of those that are left."""
    weights, value = [math.exp(s) for s in scores], 1.0
    for place, thing in enumerate(order):
        value *= weights[thing] / sum(weights[left] for left in order[place:])
    return value


def test_log_prob_is_that_of_drawing_one_after_another() -> None:
    base, context = of_context(), torch.randn(1, 2, dtype=torch.float64)
    every = orders(4)
    value = base(every, context.expand(24, -1)).exp()
    scores = base.net(context)[0].tolist()
    expected = [by_hand(scores, order) for order in itertools.permutations(range(4))]
    torch.testing.assert_close(value.tolist(), expected)
    assert value.sum().item() == pytest.approx(1.0, abs=1e-12)


def test_equal_scores_make_all_orders_alike() -> None:
    value = PlackettLuce(4)(orders(4))
    torch.testing.assert_close(value, torch.full((24,), -math.lgamma(5)))


def test_draws_are_as_frequent_as_it_says() -> None:
    base, context = of_context(), torch.randn(2, 2, dtype=torch.float64)
    with seeded(0):
        drawn = base.sample(30_000, context).reshape(2, 30_000, 4)
    for row, one in zip(drawn, context, strict=True):
        found = (row[:, None] == orders(4)).all(2).double().mean(0)
        expected = base(orders(4), one.expand(24, -1)).exp().detach()
        torch.testing.assert_close(found, expected, rtol=0, atol=0.012)


def test_temperature_0_is_the_order_of_the_scores() -> None:
    base = PlackettLuce(3)
    assert base.sample(2, temperature=0.0).tolist() == [[0, 1, 2]] * 2
    with torch.no_grad():
        base.scores.copy_(torch.tensor([0.1, 0.3, 0.2]))
    assert base.sample(2, temperature=0.0).tolist() == [[1, 2, 0]] * 2
    with seeded(0):
        hot = base.sample(12_000, temperature=1e4)
    assert torch.bincount(hot[:, 0], minlength=3).min() > 3700


def test_scores_far_apart_stay_finite() -> None:
    base = PlackettLuce(3)
    with torch.no_grad():
        base.scores.copy_(torch.tensor([500.0, 0.0, -500.0]))
    value = base(torch.tensor([[0, 1, 2], [2, 1, 0]]))
    torch.testing.assert_close(value.detach(), torch.tensor([0.0, -1500.0]))


def test_learns_how_often_each_comes_first() -> None:
    base = PlackettLuce(2)
    x = torch.tensor([[0, 1]] * 9 + [[1, 0]])
    optimizer = torch.optim.Adam(base.parameters(), lr=0.1)
    for _ in range(200):
        optimizer.zero_grad()
        (-base(x).mean()).backward()
        optimizer.step()
    assert base.scores.detach().softmax(0)[0].item() == pytest.approx(0.9, abs=1e-2)


def test_refuses() -> None:
    with pytest.raises(ValueError, match="size: expected at least 1, got 0"):
        PlackettLuce(0)
    with pytest.raises(DomainError, match="x: expected orders of 0 to n - 1, got others"):
        PlackettLuce(3)(torch.tensor([[0, 0, 2]]))
    with pytest.raises(ValueError, match="context: expected a row for each event, got None"):
        PlackettLuce(2, Dense(1, 2)).sample(1)
    with pytest.raises(ValueError, match=r"net: expected an output of shape \(2,\) for each"):
        PlackettLuce(2, Dense(1, 3)).sample(1, torch.zeros(1, 1))
