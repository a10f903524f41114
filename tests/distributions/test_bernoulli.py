"""Independent numbers 0 or 1."""

from __future__ import annotations

import pytest
import torch

from lambent.core import seeded
from lambent.distributions import Bernoulli
from lambent.errors import DomainError
from lambent.testing import perturbed

from ..networks import Dense, Planes


def of_context(seed: int = 0) -> Bernoulli:
    return perturbed(Bernoulli((3,), Dense(2, 3)), 0.5, seed)


def test_log_prob_is_torchs_and_adds_up_to_one() -> None:
    base, context = of_context(), torch.randn(1, 2, dtype=torch.float64)
    every = torch.cartesian_prod(*[torch.arange(2)] * 3)
    value = base(every, context.expand(8, -1))
    torchs = torch.distributions.Bernoulli(logits=base.net(context))
    torch.testing.assert_close(value, torchs.log_prob(every.double()).sum(1))
    assert value.exp().sum().item() == pytest.approx(1.0, abs=1e-12)
    torch.testing.assert_close(base(every > 0, context.expand(8, -1)), value)


def test_draws_are_as_frequent_as_it_says() -> None:
    base, context = of_context(), torch.randn(2, 2, dtype=torch.float64)
    with seeded(0):
        drawn = base.sample(20_000, context).reshape(2, 20_000, 3)
    assert drawn.dtype == torch.float64
    expected = base.net(context).detach().sigmoid()
    torch.testing.assert_close(drawn.mean(1), expected, rtol=0, atol=0.02)


def test_temperature_0_is_the_more_probable_and_many_are_even() -> None:
    base = Bernoulli((3,))
    with torch.no_grad():
        base.logits.copy_(torch.tensor([2.0, -0.1, 0.0]))
    assert base.sample(5, temperature=0.0).tolist() == [[1.0, 0.0, 1.0]] * 5
    with seeded(0):
        hot = base.sample(10_000, temperature=1e4).mean(0)
    torch.testing.assert_close(hot, torch.full((3,), 0.5), rtol=0, atol=0.03)
    assert base.one_centre


def test_of_images_in_float32_and_far_from_even() -> None:
    base = Bernoulli((1, 4, 4), Planes(2, 1))
    context = torch.randn(3, 2, 4, 4)
    drawn = base.sample(2, context)
    assert drawn.shape == (6, 1, 4, 4)
    assert base(drawn, context.repeat_interleave(2, 0)).dtype == torch.float32
    sure = Bernoulli((1,))
    torch.nn.init.constant_(sure.logits, 500.0)
    assert sure(torch.tensor([[0.0], [1.0]])).tolist() == [-500.0, 0.0]


def test_learns_the_share_of_ones() -> None:
    base = Bernoulli((2,))
    x = (torch.arange(10)[:, None] < torch.tensor([2, 7])).float()
    optimizer = torch.optim.Adam(base.parameters(), lr=0.1)
    for _ in range(200):
        optimizer.zero_grad()
        (-base(x).mean()).backward()
        optimizer.step()
    torch.testing.assert_close(
        base.logits.sigmoid().detach(), torch.tensor([0.2, 0.7]), rtol=0, atol=1e-2
    )


def test_refuses() -> None:
    with pytest.raises(DomainError, match="x: expected numbers 0 or 1, got others"):
        Bernoulli((1,))(torch.tensor([[0.5]]))
    with pytest.raises(ValueError, match="context: expected a row for each event, got None"):
        Bernoulli((2,), Dense(1, 2)).sample(1)
    with pytest.raises(ValueError, match=r"net: expected an output of shape \(2,\) for each"):
        Bernoulli((2,), Dense(1, 3)).sample(1, torch.zeros(1, 1))
    with pytest.raises(ValueError, match="temperature: expected at least 0"):
        Bernoulli((1,)).sample(1, temperature=-1.0)
