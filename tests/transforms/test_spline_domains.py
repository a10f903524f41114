"""Splines of an interval and of a circle: onto it, without a seam, and a density there."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from lambent import seeded
from lambent.core import Compose, Flow
from lambent.distributions import Uniform
from lambent.errors import DomainError
from lambent.flows import NSFConfig, nsf
from lambent.testing import check_normalised, perturbed
from lambent.transforms import CircularSpline, IntervalSpline

KINDS: list[Any] = [IntervalSpline(bins=4, bound=2.0), CircularSpline(bins=4, bound=2.0)]
kinds = pytest.mark.parametrize("kind", KINDS, ids=str)


def params_of(kind: Any, rows: int, spread: float, seed: int = 0) -> torch.Tensor:
    draw = torch.Generator().manual_seed(seed)
    return spread * torch.randn(rows, kind.num_params, generator=draw, dtype=torch.float64)


@kinds
@given(seed=st.integers(0, 1000), spread=st.floats(0, 2))
def test_comes_back(kind: Any, seed: int, spread: float) -> None:
    x = torch.linspace(-1.999, 1.999, 101, dtype=torch.float64)
    one = params_of(kind, 1, spread, seed).expand(101, -1)
    y, there = kind.forward(x, one)
    assert float(y.abs().max()) <= 2
    back, here = kind.inverse(y, one)
    torch.testing.assert_close(back, x, rtol=1e-7, atol=1e-7)
    torch.testing.assert_close(there, -here, rtol=1e-6, atol=1e-6)


@kinds
def test_parameters_of_zero_are_the_identity(kind: Any) -> None:
    x = torch.linspace(-1.9, 1.9, 21, dtype=torch.float64)
    y, log_derivative = kind.forward(x, torch.zeros(21, 13, dtype=torch.float64))
    torch.testing.assert_close(y, x)
    torch.testing.assert_close(log_derivative, torch.zeros_like(x), atol=1e-12, rtol=0)


def test_the_circle_has_no_seam() -> None:
    kind = CircularSpline(bins=4, bound=2.0)
    one = params_of(kind, 1, 1.0).expand(2, -1)
    ends = torch.tensor([-2.0, 2.0], dtype=torch.float64)
    y, log_derivative = kind.forward(ends, one)
    torch.testing.assert_close(y[0], y[1])
    torch.testing.assert_close(log_derivative[0], log_derivative[1])


@pytest.mark.parametrize(
    "settings", [{"domain": "interval"}, {"domain": "circle", "form": "coupling"}]
)
def test_a_flow_is_a_density_of_the_square(settings: dict[str, Any]) -> None:
    flow = nsf(
        NSFConfig(shape=(2,), width=8, transforms=2, bins=4, spline_bound=math.pi, **settings)
    )
    check_normalised(perturbed(flow, 0.4, seed=0), -math.pi, math.pi, points=400)


def test_a_flow_of_the_torus_has_no_seam() -> None:
    flow = nsf(
        NSFConfig(
            shape=(2,), form="coupling", domain="circle", width=8, transforms=4, spline_bound=1.0
        )
    )
    flow = perturbed(flow, 0.5, seed=1)
    with seeded(2):
        other = torch.rand(20).double() * 2 - 1
    for axis in (0, 1):
        left, right = (torch.full((20,), end).double() for end in (-1.0, 1.0))
        pairs = [torch.stack((end, other)[:: 1 - 2 * axis], 1) for end in (left, right)]
        torch.testing.assert_close(flow(pairs[0]), flow(pairs[1]))


def test_learns_a_density_of_angles() -> None:
    """A von Mises law about the seam, where a flow of the line would have to part it in two."""
    with seeded(3):
        angles = torch.distributions.VonMises(math.pi, 4.0).sample((2000, 2))
        angles = torch.remainder(angles + math.pi, 2 * math.pi) - math.pi
        flow = nsf(
            NSFConfig(
                shape=(2,),
                form="coupling",
                domain="circle",
                width=16,
                transforms=2,
                bins=4,
                spline_bound=math.pi + 1e-6,
                kept_splines=True,
            )
        )
        optimiser = torch.optim.Adam(flow.parameters(), 0.02)
        for _ in range(150):
            loss = -flow(angles[torch.randint(2000, (256,))]).mean()
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
        truth = torch.distributions.VonMises(math.pi, 4.0).log_prob(angles).sum(1).mean()
        found = flow(angles).detach().mean()
    assert abs(float(found - truth)) < 0.1


def test_uniform() -> None:
    density = Uniform((2,), 3.0).double()
    x = torch.zeros(4, 2).double()
    torch.testing.assert_close(density.log_prob(x), torch.full((4,), -2 * math.log(6)).double())
    with seeded(0):
        draws = density.sample(20_000)
    assert float(draws.abs().max()) <= 3
    assert float(draws.std()) == pytest.approx(3 / math.sqrt(3), rel=0.02)
    assert not Flow(Compose(), density).one_centre


def small(**settings: Any) -> Flow:
    return nsf(NSFConfig(shape=(2,), width=4, **settings))


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: Uniform((2,), 0.0), "bound: expected a number above 0, got 0.0"),
        (lambda: Uniform((2,)).sample(1, temperature=0.5), "temperature: expected 1"),
        (lambda: Uniform((1,)).log_prob(torch.full((1, 1), 2.0)), "x: expected numbers from -1"),
        (lambda: small(domain="interval")(torch.full((1, 2), 9.0)), "x: expected numbers from -3"),
        (lambda: IntervalSpline(bins=1), "bins: expected 2 to 999, got 1"),
        (lambda: CircularSpline(bound=-1.0), "bound: expected a number above 0, got -1.0"),
        (lambda: small(domain="circle"), "form: expected coupling with the domain circle"),
        (lambda: small(domain="interval", mixing="linear"), "mixing: expected reverse or shuffle"),
        (lambda: small(domain="interval", whiten=True), "base, whiten: expected neither"),
        (lambda: small(domain="interval", base="student"), "base, whiten: expected neither"),
    ],
)
def test_refuses(call: Callable[[], object], said: str) -> None:
    with pytest.raises((ValueError, DomainError), match=said):
        call()
