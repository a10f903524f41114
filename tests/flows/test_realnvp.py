"""Real NVP: what it refuses, which places leave, evaluation apart from the batch, learning."""

from __future__ import annotations

import math
import re

import pytest
import torch
from torch import Tensor

from lambent import Flow, RealNVPConfig, initialize, realnvp, seeded
from lambent.flows.realnvp import fair_order
from lambent.testing import check_normalised, perturbed
from lambent.transforms import BatchNorm, Coupling, Permute, Squeeze

IMAGE = {"shape": (1, 8, 8), "grey_levels": 17, "width": 4, "blocks": 1}


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"shape": None}, "shape: expected (features,) or (channels, height, width), got None"),
        ({"shape": (8,)}, "grey_levels: expected none for vectors, got 17"),
        ({"grey_levels": 300}, "grey_levels: expected 2 to 256, got 300"),
        ({"levels": 0}, "levels: expected at least 1, got 0"),
        ({"levels": 4}, "levels: expected a height that 2 to the 3 divides and a width that 2 to "),
        ({"levels": 99}, "levels: expected a height that 2 to the 98 divides"),
        ({"shape": (1, 8, 7)}, "for 2 levels, got 8 x 7"),
        ({"width": 0}, "width: expected at least 1, got 0"),
        ({"blocks": -1}, "blocks: expected at least 0, got -1"),
        ({"couplings": 0}, "couplings: expected at least 1, got 0"),
        ({"layers": 0}, "layers: expected at least 1, got 0"),
        ({"alpha": 0.0}, "alpha: expected more than 0, less than 0.5, got 0.0"),
        ({"alpha": 0.5}, "alpha: expected more than 0, less than 0.5, got 0.5"),
        ({"scale_bound": 0.0}, "scale_bound: expected more than 0, got 0.0"),
    ],
)
def test_what_it_refuses(settings: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        realnvp(RealNVPConfig(**{**IMAGE, **settings}))  # type: ignore[arg-type]


def test_either_half_of_the_squeezed_channels_is_of_diagonal_places() -> None:
    """Of each 2x2 cell of each channel the top left and the bottom right stay together."""
    x = torch.arange(2 * 16.0).reshape(1, 2, 4, 4)
    squeezed, _ = Squeeze()(x)
    fair, _ = Permute(fair_order(2))(squeezed)
    stays = set(fair[:, :4].flatten().tolist())
    parity = (torch.arange(4)[:, None] + torch.arange(4)) % 2
    assert stays == set(x[:, :, parity == 0].flatten().tolist())


def test_sizes_of_the_scales() -> None:
    flow = realnvp(RealNVPConfig(**{**IMAGE, "shape": (3, 8, 8)}))  # type: ignore[arg-type]
    scales = dict(flow.transform.named_modules())["scales"]
    assert scales.latent_shapes == ((6, 4, 4), (6, 4, 4))  # type: ignore[comparison-overlap]
    assert sum(isinstance(m, Coupling) for m in flow.modules()) == 3 + 3 + 4


def test_every_number_is_changed_and_reaches_the_others() -> None:
    flow = realnvp(RealNVPConfig(shape=(1, 4, 4), width=8, blocks=1))
    flow = perturbed(flow, 0.3, seed=0)

    def latent(x: Tensor) -> Tensor:
        z: Tensor = flow.transform(x[None])[0][0]
        return z

    x = torch.randn(1, 4, 4, dtype=torch.float64)
    slopes = torch.autograd.functional.jacobian(latent, x).flatten(1)
    assert (slopes != 0).all()


def test_evaluation_does_not_look_at_the_batch() -> None:
    with seeded(0):
        flow = realnvp(RealNVPConfig(shape=(4,), couplings=2, width=8)).double()
        x = 3 + torch.randn(10, 4, dtype=torch.float64)
        initialize(flow, x)
        flow.train()(x)
    assert any(isinstance(m, BatchNorm) for m in flow.modules())
    flow.eval()
    torch.testing.assert_close(flow.log_prob(x)[:1], flow.log_prob(x[:1]))
    torch.testing.assert_close(flow.decode(flow.encode(x)), x)


def test_it_is_a_density() -> None:
    flow = realnvp(RealNVPConfig(shape=(2,), couplings=4, width=8, layers=1))
    check_normalised(perturbed(flow, 0.2, seed=3), -30.0, 30.0, points=1200)


def test_preprocessing_by_hand() -> None:
    """Zero couplings leave the logit of the middle of each bin, and its published log-det."""
    settings = RealNVPConfig(shape=(1, 2, 4), grey_levels=256, norm="none", width=4, blocks=1)
    flow = realnvp(settings).double()
    pixels = torch.tensor([0, 1, 100, 255, 3, 4, 5, 6], dtype=torch.uint8).reshape(1, 1, 2, 4)
    inner = 0.05 + 0.9 * (pixels.double() + 0.5) / 256
    expected = torch.logit(inner)
    z = flow.encode(pixels)
    torch.testing.assert_close(z.sort()[0], expected.flatten(1).sort()[0])
    slope = 0.9 / 256 / (inner * (1 - inner))
    by_hand = (slope.log() - 0.5 * expected**2).sum() - 4 * math.log(2 * math.pi)
    with seeded(0):
        estimate = flow.log_prob(pixels.expand(4000, -1, -1, -1)).mean()
    torch.testing.assert_close(estimate, by_hand, atol=0.3, rtol=0)


def moons(n: int) -> Tensor:
    """Two half circles that interlock, with noise of 0.1."""
    angle = math.pi * torch.rand(n)
    x = torch.stack((angle.cos(), angle.sin()), 1)
    second = torch.arange(n) % 2 == 1
    x = torch.where(second[:, None], torch.tensor([1.0, 0.5]) - x, x)
    return x + 0.1 * torch.randn(n, 2)


@pytest.mark.slow
@pytest.mark.parametrize("norm", ["batch", "actnorm"])
def test_it_learns_two_moons(norm: str) -> None:
    """One normal fitted to them costs 1.98 nats; the noise alone leaves about 0.7."""
    with seeded(0):
        flow = realnvp(RealNVPConfig(shape=(2,), couplings=6, width=32, norm=norm))  # type: ignore[arg-type]
        initialize(flow, moons(512))
        _train(flow, steps=300)
        held_out = moons(4000)
    loss = -flow.eval().log_prob(held_out).mean().item()
    assert 0.5 < loss < 1.3


def _train(flow: Flow, steps: int) -> None:
    optimizer = torch.optim.Adam(flow.parameters(), 5e-3)
    flow.train()
    for _ in range(steps):
        loss = -flow.log_prob(moons(256)).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
