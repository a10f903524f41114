"""What a flow that does nothing says of uniform random images, and what no flow may say."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from lambent.core import Compose, Flow, initialize
from lambent.distributions import StandardNormal
from lambent.flows import GlowConfig, glow
from lambent.testing import perturbed, pixels
from lambent.transforms import Dequantise, Rescale

IDENTITY_BITS = 8 + 0.5 * math.log2(2 * math.pi) + (1 / 12) / (2 * math.log(2))
SHAPE = (3, 32, 32)


def identity(shape: tuple[int, ...] = SHAPE) -> Flow:
    return Flow(Compose(Dequantise(), Rescale(1 / 256, shift=-128.0)), StandardNormal(shape))


def untrained(**settings: object) -> Flow:
    """An additive Glow as built: permutations or rotations, so as good as the identity."""
    defaults = {"shape": SHAPE, "grey_levels": 256, "levels": 3, "steps": 1, "width": 4}
    return glow(GlowConfig(**defaults | {"coupling": "additive"} | settings))


def bits_per_dim(flow: Flow, x: Tensor) -> Tensor:
    with torch.no_grad():
        return -flow.log_prob(x).double() / (x[0].numel() * math.log(2))


def test_the_number() -> None:
    assert pytest.approx(9.38586, abs=5e-6) == IDENTITY_BITS


def test_identity_by_expectation() -> None:
    """Every pixel value, and the noise by Gauss-Legendre: exact, as ``log N`` is a square."""
    flow = identity((1,))
    assert isinstance(flow.transform, Compose)
    rest = Flow(Compose(flow.transform[1]), flow.base).double()
    nodes, weights = np.polynomial.legendre.leggauss(4)
    u, weight = torch.tensor(nodes / 2 + 0.5), torch.tensor(weights / 2)
    z = torch.arange(256, dtype=torch.float64)[:, None] + u
    log_prob = rest.log_prob(z.reshape(-1, 1)).reshape(256, 4) @ weight
    assert (-log_prob / math.log(2)).mean().item() == pytest.approx(IDENTITY_BITS, abs=1e-12)


@pytest.mark.parametrize("permutation", [None, "shuffle", "reverse", "plu", "conv"])
def test_identity_on_many_images(permutation: str | None) -> None:
    """With z uniform, ``z^2 / (2 ln 2)`` has standard deviation ``sqrt(1 / 180) / (2 ln 2)``."""
    flow = identity() if permutation is None else untrained(permutation=permutation)
    x = pixels()((64, *SHAPE))
    error = math.sqrt(1 / 180) / (2 * math.log(2)) / math.sqrt(x.numel())
    assert error < 2e-4
    assert abs(bits_per_dim(flow, x).mean().item() - IDENTITY_BITS) < 4 * error + 2**-15


def test_identity_never_below_eight_bits() -> None:
    """Even an image of middle greys costs what the normal says at 0."""
    flow = identity()
    floor = 8 + 0.5 * math.log2(2 * math.pi)
    assert floor > 8
    assert bits_per_dim(flow, pixels()((64, *SHAPE))).min() > floor
    grey = torch.full((4, *SHAPE), 128, dtype=torch.uint8)
    assert bits_per_dim(flow, grey).min().item() == pytest.approx(floor, abs=1e-4)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("spread", [0.02, 0.2])
def test_no_flow_is_below_eight_bits_on_uniform_images(seed: int, spread: float) -> None:
    config = GlowConfig(shape=(1, 4, 4), grey_levels=256, levels=2, steps=2, width=8)
    flow, x = glow(config), pixels()((500, 1, 4, 4))
    initialize(flow, x)
    bits = bits_per_dim(perturbed(flow, spread, seed), x)
    assert bits.mean() > 8 - 4 * bits.std() / math.sqrt(len(bits))


@pytest.mark.slow
def test_training_does_not_get_below_eight_bits_on_uniform_images() -> None:
    """Maximum likelihood finds whatever a wrong log-determinant gives away; there is nothing."""
    config = GlowConfig(shape=(1, 2, 2), grey_levels=256, levels=1, steps=4, width=32)
    flow = glow(config)
    initialize(flow, pixels()((512, 1, 2, 2)))
    optimiser = torch.optim.Adam(flow.parameters(), lr=3e-3)
    for _ in range(1500):
        loss = -flow.log_prob(pixels()((256, 1, 2, 2))).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    bits = bits_per_dim(flow, pixels()((50_000, 1, 2, 2)))
    error = (bits.std() / math.sqrt(len(bits))).item()
    assert error < 0.005
    assert 8 - 4 * error < bits.mean().item() < 8.1


def test_a_trained_density_of_one_pixel_sums_to_at_most_one() -> None:
    """``sum_x exp(E log p) <= sum_x P(x) <= 1`` over all 256 values, whatever the parameters."""
    for seed in range(5):
        flow = perturbed(identity((1,)), 0.0, seed)
        x = torch.arange(256, dtype=torch.uint8)[:, None].repeat_interleave(200, 0)
        log_prob = flow.log_prob(x).reshape(256, 200).mean(1)
        assert log_prob.exp().sum() < 1
