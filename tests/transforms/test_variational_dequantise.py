"""Learned noise: it starts as uniform, states a bound, and training tightens it."""

from __future__ import annotations

import math
from functools import partial

import pytest
import torch

from lambent import seeded
from lambent.core import Compose, Flow
from lambent.distributions import StandardNormal
from lambent.flows import GlowConfig, glow, noise_flow
from lambent.transforms import Argmax, Augment, Dequantise, Rescale, VariationalDequantise

LEVELS = 4
WIDTH = 0.4
"""Standard deviation of the density that is quantised, about the middle of the levels."""


def quantised(*, variational: bool) -> Flow:
    """A normal that is narrow beside a bin: uniform noise fits it badly."""
    with seeded(0):
        noise = noise_flow((1,), width=32)
        layer = VariationalDequantise(LEVELS, noise) if variational else Dequantise(LEVELS)
    steps = Compose(noise=layer, scale=Rescale(1 / WIDTH, shift=-LEVELS / 2))
    return Flow(steps, StandardNormal((1,)))


def exact() -> torch.Tensor:
    """The probability of each level."""
    edges = (torch.arange(LEVELS + 1) - LEVELS / 2) / WIDTH
    return torch.distributions.Normal(0, 1).cdf(edges).diff().log()


def levels(rows: int) -> torch.Tensor:
    return torch.arange(1, 3, dtype=torch.uint8).repeat_interleave(rows)[:, None]


def test_starts_as_uniform() -> None:
    layer = VariationalDequantise(256, noise_flow((1, 4, 4), width=8))
    x = torch.randint(0, 256, (5, 1, 4, 4), dtype=torch.uint8)
    z, contribution = layer(x)
    torch.testing.assert_close(contribution, torch.full((5,), 16 * math.log1p(-(2.0**-16))))
    assert bool((z.floor() == x).all())
    assert 0.35 < float((z - x).detach().mean()) < 0.65


def test_training_the_noise_tightens_the_bound() -> None:
    flow = quantised(variational=True)
    optimiser = torch.optim.Adam(flow.parameters(), 0.02)
    with seeded(1):
        for _ in range(150):
            loss = -flow(levels(64)).mean()
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
    with seeded(2), torch.no_grad():
        learned = flow.eval()(levels(4000)).unflatten(0, (2, 4000)).mean(1)
        uniform = quantised(variational=False)(levels(4000)).unflatten(0, (2, 4000)).mean(1)
    gap, before = exact()[1:3] - learned, exact()[1:3] - uniform
    assert bool((gap > -0.01).all())  # a bound, but for the draws' own error
    assert bool((before > 0.2).all())
    assert bool((gap < before / 4).all())


def test_a_glow_with_it_gives_its_pixels_back() -> None:
    flow = glow(
        GlowConfig(
            shape=(1, 4, 4),
            grey_levels=256,
            levels=1,
            steps=1,
            width=8,
            dequantisation="variational",
        )
    )
    x = torch.randint(0, 256, (3, 1, 4, 4), dtype=torch.uint8)
    assert torch.equal(flow.decode(flow.encode(x)), x)
    assert flow.likelihood == "bound"
    assert flow.sample(2).dtype == torch.uint8


def test_refuses() -> None:
    with pytest.raises(ValueError, match="levels: expected 1 to 256, got 0"):
        VariationalDequantise(0, noise_flow((2,)))
    bound = Flow(Dequantise(4), StandardNormal((2,)))
    for build in (partial(VariationalDequantise, 4), Augment, partial(Argmax, 2)):
        with pytest.raises(ValueError, match="noise: expected a density of exact likelihood"):
            build(bound)
    with pytest.raises(ValueError, match="dequantisation: expected images of even height"):
        noise_flow((1, 3, 4))
    layer = VariationalDequantise(4, noise_flow((2,)))
    with pytest.raises(ValueError, match="0 to 3"):
        layer(torch.tensor([[0, 4]], dtype=torch.uint8))
    with pytest.raises(ValueError, match="noise_width: expected at least 1, got 0"):
        glow(
            GlowConfig(
                shape=(1, 4, 4),
                grey_levels=4,
                levels=1,
                dequantisation="variational",
                noise_width=0,
            )
        )
