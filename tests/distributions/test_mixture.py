"""Mixtures of Gaussians."""

from __future__ import annotations

import pytest
import torch
from torch import distributions as td

from lambent.core import Flow, seeded
from lambent.distributions import GaussianMixture
from lambent.nn import MLP
from lambent.testing import check_normalised, perturbed
from lambent.transforms import Permute


def mixture(shape: tuple[int, ...], components: int = 3) -> GaussianMixture:
    return perturbed(GaussianMixture(shape, components), 0.5, seed=1).double()


def conditional(size: int, components: int) -> GaussianMixture:
    net = MLP(3, components * (1 + 2 * size), width=8)
    return perturbed(GaussianMixture((size,), components, net=net), 0.5, seed=1).double()


def torchs(base: GaussianMixture, context: torch.Tensor | None = None) -> td.Distribution:
    log_weights, means, log_scales = base._params(context)
    parts = td.Independent(td.Normal(means, log_scales.exp()), 1)
    return td.MixtureSameFamily(td.Categorical(logits=log_weights), parts)


def test_log_prob_is_torchs() -> None:
    base, x = mixture((2, 3)), torch.randn(4, 2, 3, dtype=torch.float64)
    expected = torchs(base).log_prob(x.flatten(1))
    torch.testing.assert_close(base.log_prob(x), expected, rtol=1e-10, atol=1e-10)
    context = torch.randn(5, 3, dtype=torch.float64)
    given, y = conditional(2, 4), torch.randn(5, 2, dtype=torch.float64)
    expected = torchs(given, context).log_prob(y)
    torch.testing.assert_close(given(y, context), expected, rtol=1e-10, atol=1e-10)
    assert given(y, context)[:1].ne(given(y, context.flip(0))[:1]).all()


@pytest.mark.parametrize("size", [1, 2])
def test_it_integrates_to_one_and_matches_its_draws(size: int) -> None:
    check_normalised(mixture((size,)), -20.0, 20.0, points=800)
    row = torch.randn(1, 3, dtype=torch.float64)
    check_normalised(conditional(size, 3), -20.0, 20.0, points=800, context=row)


def test_temperature_multiplies_each_components_scale() -> None:
    base = mixture((2,)).float()
    assert not Flow(Permute.reverse(2), base).one_centre
    assert all(bool((x == base.means).all(1).any()) for x in base.sample(20, temperature=0.0))
    log_weights, means, log_scales = (p[0].detach().double() for p in base._params(None))
    weights = log_weights.exp()[:, None]
    for temperature in (0.5, 1.0, 2.0):
        with seeded(0):
            x = base.sample(100_000, temperature=temperature).double()
        mean = (weights * means).sum(0)
        second = (weights * (means.square() + (temperature * log_scales.exp()).square())).sum(0)
        torch.testing.assert_close(x.mean(0), mean, rtol=0, atol=0.03)
        torch.testing.assert_close(x.square().mean(0), second, rtol=0.03, atol=0.03)


def test_it_starts_with_unit_variance() -> None:
    with seeded(0):
        x = GaussianMixture((200,), 20).sample(2000)
    assert x.var().item() == pytest.approx(1.0, rel=0.03)


def test_draws_carry_gradients_to_means_and_scales_and_none_to_the_weights() -> None:
    base = mixture((2,))
    base.rsample(50).square().sum().backward()
    assert base.means.grad is not None
    assert base.raw_scales.grad is not None
    assert bool(base.means.grad.any())
    assert bool(base.raw_scales.grad.any())
    assert base.logits.grad is None


def test_a_component_cannot_shrink_onto_an_event() -> None:
    base = GaussianMixture((1,), 2)
    with torch.no_grad():
        base.raw_scales.fill_(-1e4)
    x = base.means.detach()[:1]
    assert base.log_prob(x).item() < 7.0


def test_the_state_is_kept() -> None:
    base, again = GaussianMixture((2,), 3), GaussianMixture((2,), 3)
    again.load_state_dict(base.state_dict())
    x = torch.randn(4, 2)
    assert torch.equal(again.log_prob(x), base.log_prob(x))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_draws_have_the_modules_dtype_and_rows(dtype: torch.dtype) -> None:
    base = GaussianMixture((3,), 2).to(dtype)
    assert base.sample(4, torch.randn(3, 5)).shape == (12, 3)
    assert base.log_prob(base.sample(2)).dtype == base.sample(2).dtype == dtype
    assert GaussianMixture((), 2).sample(5).shape == (5,)
    assert GaussianMixture((), 2).log_prob(torch.zeros(5)).shape == (5,)


def test_draws_of_a_context_keep_its_rows_together() -> None:
    base = conditional(2, 2)
    context = torch.tensor([[0.0, 0.0, 0.0], [5.0, -5.0, 5.0]], dtype=torch.float64)
    x = base.sample(6, context, temperature=0.0)
    assert len(set(x[:6, 0].tolist())) <= 2
    assert not set(x[:6, 0].tolist()) & set(x[6:, 0].tolist())


def test_refuses() -> None:
    with pytest.raises(ValueError, match=r"^components: expected at least 1, got 0"):
        GaussianMixture((2,), 0)
    with pytest.raises(ValueError, match=r"^context: expected a row for each event, got None"):
        conditional(2, 3).sample(4)
