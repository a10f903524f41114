"""An inference surjection: what is dropped has a learned density given what stays."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from lambent.core import Compose, Distribution, Flow, Transform, trace
from lambent.core.distribution import count_draws, repeat_context, scale_of_temperature
from lambent.core.transform import sum_event
from lambent.distributions import StandardNormal
from lambent.testing import check_flow, check_normalised, check_transform, perturbed
from lambent.transforms import Affine, Coupling, Permute, Whole
from lambent.types import Context, PerSample, Size, X, Z

from ..networks import Dense


class ConditionalNormal(Distribution):
    """A normal whose mean and log-scale a network finds from the context."""

    def __init__(self, size: int, context: int) -> None:
        super().__init__()
        self.event_shape = (size,)
        self.net = Dense(context, 2 * size)

    def log_prob(self, x: X, context: Context | None = None) -> PerSample:
        mean, log_std = self.net(context).chunk(2, 1)
        normed = (x - mean) * (-log_std).exp()
        return sum_event(-0.5 * (normed.square() + math.log(2 * math.pi)) - log_std)

    def rsample(
        self,
        n: int | None = None,
        context: Context | None = None,
        *,
        temperature: float | Tensor = 1.0,
    ) -> X:
        mean, log_std = self.net(repeat_context(context, n)).chunk(2, 1)
        assert len(mean) == count_draws(n, context)
        return mean + log_std.exp() * torch.randn_like(mean) * scale_of_temperature(
            temperature, mean
        )


class Slice(Transform):
    """``z = x_1``, ``V = log p(x_2 | x_1)``; back, ``x_2`` is drawn."""

    stochastic_inverse = True

    def __init__(self, kept: int, dropped: Distribution) -> None:
        super().__init__()
        self.kept = kept
        self.dropped = dropped

    def forward(self, x: X, context: Context | None = None) -> tuple[Z, PerSample]:
        z, rest = x[:, : self.kept], x[:, self.kept :]
        return z, self.dropped(rest, z)

    def inverse(self, z: Z, context: Context | None = None) -> tuple[X, PerSample]:
        rest, log_prob = self.dropped.rsample_and_log_prob(None, z)
        return torch.cat((z, rest), 1), -log_prob

    def decode(self, z: Z, context: Context | None = None) -> X:
        return torch.cat((z, self.dropped.sample(None, z, temperature=0.0)), 1)

    def forward_shape(self, shape: Size) -> Size:
        return (self.kept,)

    def inverse_shape(self, shape: Size) -> Size:
        return (self.kept + self.dropped.event_shape[0],)


def build() -> Slice:
    return Slice(2, ConditionalNormal(1, 2))


def flow_of_two(dropped: Distribution | None = None) -> Flow:
    transform = Compose(
        coupling=Coupling(Dense(1, 2), Affine()),
        swap=Permute.reverse(2),
        slice=Slice(1, dropped or ConditionalNormal(1, 1)),
    )
    return Flow(transform, StandardNormal((1,)))


def test_laws() -> None:
    check_transform(build(), torch.randn(3, 3), rebuild=build, skip=["compile"])


@pytest.mark.compile
def test_compiles() -> None:
    check_transform(build(), torch.randn(3, 3))


def test_laws_of_a_flow_with_it() -> None:
    check_flow(flow_of_two(), torch.randn(3, 2), rebuild=flow_of_two, skip=["compile"])


def test_likelihood_is_exact() -> None:
    assert build().likelihood == "exact"
    assert build().inv.likelihood == "bound"
    assert flow_of_two().likelihood == "exact"


def test_value_is_the_brute_force_density() -> None:
    """``V`` is the log of the joint density over the density of what stays."""
    layer = perturbed(build(), 0.5, seed=1)
    x = torch.randn(5, 3, dtype=torch.float64)
    _, value = layer(x)
    mean, log_std = layer.dropped.net(x[:, :2]).unbind(1)
    expected = torch.distributions.Normal(mean, log_std.exp()).log_prob(x[:, 2])
    torch.testing.assert_close(value, expected, rtol=1e-12, atol=1e-12)
    assert value.std() > 0.1


def test_density_integrates_to_one_and_matches_draws() -> None:
    check_normalised(perturbed(flow_of_two(), 0.3, seed=2), -24.0, 24.0, points=1000)


def test_what_is_dropped_may_be_a_flow() -> None:
    dropped = Flow(Coupling(Dense(0, 2, context=1), Affine(), Whole()), StandardNormal((1,)))
    check_normalised(perturbed(flow_of_two(dropped), 0.3, seed=3), -24.0, 24.0, points=1000)


def test_ledger_shows_the_slice() -> None:
    flow = perturbed(flow_of_two(), 0.3, seed=4)
    x = torch.randn(4, 2, dtype=torch.float64)
    entries = {entry.path: entry for entry in trace(flow, x)}
    assert list(entries) == ["coupling", "swap", "slice", "base"]
    assert entries["slice"].z.shape == (4, 1)
    total = sum(entry.log_likelihood for entry in entries.values())
    torch.testing.assert_close(total, flow.log_prob(x))


def test_network_is_trained_through_the_value() -> None:
    layer = Slice(1, ConditionalNormal(1, 1))
    x1 = torch.randn(512, 1)
    x = torch.cat((x1, 0.8 * x1 + 0.1 * torch.randn(512, 1)), 1)
    optimiser = torch.optim.Adam(layer.parameters(), lr=0.02)
    for _ in range(300):
        loss = -layer(x)[1].mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    entropy = 0.5 * math.log(2 * math.pi * math.e * 0.01)
    assert abs(loss.item() - entropy) < 0.1
