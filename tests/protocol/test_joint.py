"""A joint flow over (x, y) whose base is a product: a normal part and a Laplace part."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from lambent.core import Compose, Distribution, Flow
from lambent.core.compose import worst
from lambent.core.distribution import count_draws, scale_of_temperature
from lambent.core.transform import sum_event
from lambent.distributions import StandardNormal
from lambent.testing import check_flow, check_normalised, perturbed
from lambent.transforms import ActNorm, Affine, Coupling, Permute, PLUConv1x1
from lambent.types import Context, Likelihood, PerSample, Size, X

from ..networks import Dense


class Laplace(Distribution):
    """``log p(y) = sum -|y| / s - ln 2 s``."""

    def __init__(self, event_shape: Size, scale: float) -> None:
        super().__init__()
        self.event_shape = event_shape
        self.register_buffer("scale", torch.tensor(scale))

    def log_prob(self, x: X, context: Context | None = None) -> PerSample:
        return sum_event(-x.abs() / self.scale - (2 * self.scale).log())

    def rsample(
        self,
        n: int | None = None,
        context: Context | None = None,
        *,
        temperature: float | Tensor = 1.0,
    ) -> X:
        u = torch.rand(count_draws(n, context), *self.event_shape, dtype=self.scale.dtype) - 0.5
        y = -self.scale * u.sign() * (-2 * u.abs()).log1p()
        return y * scale_of_temperature(temperature, y)


class Product(Distribution):
    """Independent parts, side by side on the last axis."""

    def __init__(self, *parts: Distribution) -> None:
        super().__init__()
        self.parts = torch.nn.ModuleList(parts)
        self.sizes = [part.event_shape[0] for part in parts]
        self.event_shape = (sum(self.sizes),)

    def log_prob(self, x: X, context: Context | None = None) -> PerSample:
        pairs = zip(self.parts, x.split(self.sizes, 1), strict=True)
        return torch.stack([part(piece, context) for part, piece in pairs]).sum(0)

    def rsample(
        self,
        n: int | None = None,
        context: Context | None = None,
        *,
        temperature: float | Tensor = 1.0,
    ) -> X:
        return torch.cat([p.rsample(n, context, temperature=temperature) for p in self.parts], 1)

    @property
    def likelihood(self) -> Likelihood:
        return worst(*(part.likelihood for part in self.parts))


def build(context: int = 0) -> Flow:
    transform = Compose(
        ActNorm(2),
        Coupling(Dense(1, 2, context=context), Affine()),
        PLUConv1x1(2),
        Coupling(Dense(1, 2, context=context), Affine()),
    )
    return Flow(transform, Product(StandardNormal((1,)), Laplace((1,), 0.5)))


def test_laws() -> None:
    check_flow(build(), torch.randn(3, 2), rebuild=build, skip=["compile"])


def test_laws_with_a_context() -> None:
    check_flow(build(2), torch.randn(3, 2), torch.randn(3, 2), skip=["compile"])


@pytest.mark.compile
def test_compiles() -> None:
    check_flow(build(), torch.randn(3, 2))


def test_base_is_the_product() -> None:
    base = build().base
    x = torch.randn(6, 2)
    expected = torch.distributions.Normal(0.0, 1.0).log_prob(x[:, 0])
    expected = expected + torch.distributions.Laplace(0.0, 0.5).log_prob(x[:, 1])
    torch.testing.assert_close(base.log_prob(x), expected)
    assert base.likelihood == "exact"


def test_density_integrates_to_one_and_matches_draws() -> None:
    """The Laplace has a kink, so the grid is fine; its tails are heavy, so it is wide."""
    check_normalised(perturbed(build(), 0.2, seed=1), -16.0, 16.0, points=800)


def test_density_given_a_context_integrates_to_one() -> None:
    flow = perturbed(build(2), 0.2, seed=1)
    context = torch.tensor([[2.0, -1.0]], dtype=torch.float64)
    check_normalised(flow, -16.0, 16.0, context=context, points=800)


def test_temperature_reaches_both_parts() -> None:
    base = build().base
    cold = base.sample(20_000, temperature=0.5)
    assert cold[:, 0].std() == pytest.approx(0.5, abs=0.02)
    assert cold[:, 1].abs().mean() == pytest.approx(0.5 * 0.5, abs=0.02)
    assert not base.sample(3, temperature=0.0).any()


def test_joint_model_of_a_line_gives_its_conditional() -> None:
    """Maximum likelihood on (x, y) with y ~ N(0, 1) and x | y ~ N(2 y, 1/4).

    The joint density reaches the true one; divided by its integral over x it is the conditional.
    """
    flow = Flow(
        Compose(
            Coupling(Dense(1, 2), Affine()), Permute.reverse(2), Coupling(Dense(1, 2), Affine())
        ),
        StandardNormal((2,)),
    )
    y = torch.randn(4000, 1)
    data = torch.cat((2 * y + 0.5 * torch.randn(4000, 1), y), 1)
    optimiser = torch.optim.Adam(flow.parameters(), lr=0.02)
    for step in range(300):
        rows = data[(step * 500) % 4000 :][:500]
        loss = -flow.log_prob(rows).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    grid = torch.linspace(-6, 8, 1401)[:, None]
    joint = torch.cat((grid, torch.ones_like(grid)), 1)
    line, unit = torch.distributions.Normal(2 * y, 0.5), torch.distributions.Normal(0.0, 1.0)
    true = line.log_prob(data[:, :1]) + unit.log_prob(y)
    with torch.no_grad():
        density = flow.log_prob(joint).exp()
        assert abs((true[:, 0] - flow.log_prob(data)).mean()) < 0.05
    conditional = density / (density.sum() * 0.01)
    mean = float((conditional * grid[:, 0]).sum() * 0.01)
    std = math.sqrt(float((conditional * (grid[:, 0] - mean) ** 2).sum() * 0.01))
    assert mean == pytest.approx(2.0, abs=0.15)
    assert std == pytest.approx(0.5, abs=0.1)
