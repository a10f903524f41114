"""Mixtures number by number: a density, and draws of it."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from lambent import seeded
from lambent.distributions import AutoregressiveMixture
from lambent.nn import MADE


def mixture(features: int = 2, components: int = 3, **of_net: int) -> AutoregressiveMixture:
    with seeded(0):
        net = MADE(features, 3 * components, width=16, **of_net)  # type: ignore[arg-type]
    return AutoregressiveMixture(net, features, components).double()


def moved(density: AutoregressiveMixture, spread: float = 0.4) -> AutoregressiveMixture:
    with seeded(1), torch.no_grad():
        for parameter in density.parameters():
            parameter.add_(spread * torch.randn_like(parameter))
    return density


def test_integrates_to_one() -> None:
    line = torch.linspace(-15, 15, 1201, dtype=torch.float64)
    grid = torch.cartesian_prod(line, line)
    with torch.no_grad():
        total = moved(mixture(), 0.15).log_prob(grid).exp().sum() * (line[1] - line[0]) ** 2
    assert float(total) == pytest.approx(1, abs=1e-6)


def test_one_number_is_a_mixture_of_normals() -> None:
    density = moved(mixture(1))
    x = torch.linspace(-3, 3, 7, dtype=torch.float64)[:, None]
    logits, means, scales = density.net(x)[0].detach().chunk(3)
    scales = -7 + nn.functional.softplus(scales + 7)
    known = torch.distributions.MixtureSameFamily(
        torch.distributions.Categorical(logits=logits),
        torch.distributions.Normal(means + torch.linspace(-1, 1, 3), scales.exp()),
    )
    torch.testing.assert_close(density.log_prob(x), known.log_prob(x[:, 0]))


def test_draws_have_the_density() -> None:
    density = moved(mixture())
    with seeded(2), torch.no_grad():
        x = density.sample(40_000)
        edges = torch.linspace(-2, 2, 5, dtype=torch.float64)
        line = torch.linspace(-20, 20, 2001, dtype=torch.float64)
        grid = torch.cartesian_prod(line, line)
        mass = density.log_prob(grid).exp() * (line[1] - line[0]) ** 2
    for axis in (0, 1):
        for edge in edges:
            expected = float(mass[grid[:, axis] < edge].sum())
            found = float((x[:, axis] < edge).double().mean())
            assert found == pytest.approx(expected, abs=0.012)  # 5 standard errors at most


def test_temperature_scales_each_component() -> None:
    density = mixture()  # as it starts: means at -1, 0, 1, whatever came before
    with seeded(3):
        cold = density.sample(50, temperature=0.0)
    assert set(cold.round(decimals=6).flatten().tolist()) == {-1.0, 0.0, 1.0}
    assert not density.one_centre


def test_a_context_chooses() -> None:
    density = moved(mixture(context_features=2))
    context = torch.tensor([[3.0, 0.0], [-3.0, 0.0]]).double()
    with seeded(4):
        x = density.sample(500, context)
    assert x.shape == (1000, 2)
    own = density.log_prob(x, context.repeat_interleave(500, 0)).mean()
    other = density.log_prob(x, context.flip(0).repeat_interleave(500, 0)).mean()
    assert own > other


def test_refuses() -> None:
    with pytest.raises(ValueError, match="components: expected at least 1, got 0"):
        AutoregressiveMixture(MADE(2, 3), 2, 0)
    with pytest.raises(ValueError, match="net: expected a network with start and step, got Linear"):
        AutoregressiveMixture(nn.Linear(2, 6), 2, 1)
