"""Rational-quadratic splines: through their knots, increasing, invertible, the identity outside."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from lambent.numerics import Knots, spline, spline_inverse

seeds = st.integers(0, 10_000)
BOUND = 2.5


def some_knots(seed: int, rows: int, bins: int) -> Knots:
    """Splines of uneven bins; slopes from 1/20 to 20."""
    draw = torch.Generator().manual_seed(seed)

    def places() -> Tensor:
        sizes = 0.02 + torch.rand(rows, bins, generator=draw, dtype=torch.float64)
        inner = sizes.cumsum(-1)[:, :-1] / sizes.sum(-1, keepdim=True)
        ends = torch.ones(rows, 1, dtype=torch.float64)
        return BOUND * (2 * torch.cat([0 * ends, inner, ends], 1) - 1)

    slope = (6 * torch.rand(rows, bins + 1, generator=draw, dtype=torch.float64) - 3).exp()
    slope[:, 0] = slope[:, -1] = 1
    return Knots(places(), places(), slope)


def test_a_value_worked_by_hand() -> None:
    """Bin from (0, 0) to (2, 1), slopes 1 and 3: at a quarter, (1/32 + 3/16) / (1/2 + 9/16)."""
    knots = Knots(*(torch.tensor([row]).double() for row in ([0.0, 2.0], [0.0, 1.0], [1.0, 3.0])))
    y, log = spline(torch.tensor([0.5]).double(), knots)
    assert y.item() == pytest.approx((1 / 32 + 3 / 16) / (1 / 2 + 9 / 16), rel=1e-14)
    slope = 0.25 * (3 / 16 + 3 / 16 + 9 / 16) / (17 / 16) ** 2
    assert log.exp().item() == pytest.approx(slope, rel=1e-14)


@given(seed=seeds, bins=st.integers(2, 9))
def test_passes_its_knots_with_their_slopes(seed: int, bins: int) -> None:
    knots = some_knots(seed, 1, bins)
    every = Knots(*(part.expand(bins + 1, -1) for part in knots))
    y, log = spline(knots.x[0], every)
    torch.testing.assert_close(y, knots.y[0], rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(log.exp(), knots.slope[0], rtol=1e-9, atol=1e-12)


@given(seed=seeds)
def test_increases_across_all_bins(seed: int) -> None:
    knots = some_knots(seed, 1, 6)
    x = torch.linspace(-3, 3, 2001, dtype=torch.float64)
    y, _ = spline(x, Knots(*(part.expand(2001, -1) for part in knots)))
    assert bool((y.diff() > 0).all())


@given(seed=seeds)
def test_the_inverse_undoes_it_and_the_derivative_is_autograds(seed: int) -> None:
    knots = some_knots(seed, 50, 6)
    x = torch.linspace(-3, 3, 50, dtype=torch.float64).requires_grad_()
    y, there = spline(x, knots)
    back, here = spline_inverse(y, knots)
    torch.testing.assert_close(back, x, rtol=1e-10, atol=1e-10)
    torch.testing.assert_close(there, -here, rtol=1e-8, atol=1e-9)
    (slope,) = torch.autograd.grad(y.sum(), x, retain_graph=True)
    torch.testing.assert_close(there, slope.log(), rtol=1e-10, atol=1e-10)
    z = y.detach().requires_grad_()
    (slope,) = torch.autograd.grad(spline_inverse(z, knots)[0].sum(), z)
    torch.testing.assert_close(here, slope.log(), rtol=1e-8, atol=1e-9)


def test_outside_it_is_the_identity_to_the_bit() -> None:
    x = torch.tensor([-1e30, -7.0, -2.5001, 2.5001, 40.0]).double().requires_grad_()
    for run in (spline, spline_inverse):
        y, log = run(x, some_knots(3, 5, 4))
        assert torch.equal(y, x)
        assert not bool(log.any())
        (slope,) = torch.autograd.grad(y.sum(), x)
        assert torch.equal(slope, torch.ones_like(slope))


def test_float32_comes_back_to_a_hundred_thousandth() -> None:
    knots = Knots(*(part.float() for part in some_knots(1, 4000, 8)))
    x = torch.linspace(-3, 3, 4000)
    y, there = spline(x, knots)
    exact, _ = spline(x.double(), Knots(*(part.double() for part in knots)))
    torch.testing.assert_close(y, exact.float(), rtol=1e-5, atol=1e-5)
    back, here = spline_inverse(exact.float(), knots)
    # The worst slope is 1/20 or less, which is what y's own rounding is multiplied by.
    assert ((back - x).abs() * there.exp().clamp_max(1)).max() < 1e-5
    assert there.dtype == here.dtype == torch.float32
