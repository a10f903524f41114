"""Monotone elementwise maps: they increase onto the real line, and their inverse is found."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from lambent.transforms import Bernstein, Elementwise, LogisticMixture, MonotoneNetwork

KINDS: list[Any] = [
    LogisticMixture(components=3),
    MonotoneNetwork(units=4),
    MonotoneNetwork(units=3, layers=2),
    Bernstein(degree=6, bound=2.0),
]
kinds = pytest.mark.parametrize("kind", KINDS, ids=str)


def params_of(kind: Elementwise, rows: int, spread: float, seed: int = 0) -> torch.Tensor:
    draw = torch.Generator().manual_seed(seed)
    return spread * torch.randn(rows, kind.num_params, generator=draw, dtype=torch.float64)


@kinds
@given(seed=st.integers(0, 1000), spread=st.floats(0, 3))
def test_increases_and_comes_back(kind: Elementwise, seed: int, spread: float) -> None:
    x = torch.linspace(-6, 6, 121, dtype=torch.float64)
    one = params_of(kind, 1, spread, seed).expand(121, -1)
    y, there = kind.forward(x, one)
    assert bool((y.diff() > 0).all())
    back, here = kind.inverse(y, one)
    torch.testing.assert_close(back, x, rtol=1e-7, atol=1e-7)
    torch.testing.assert_close(there, -here, rtol=1e-6, atol=1e-6)


@kinds
def test_derivative_is_that_of_autograd(kind: Elementwise) -> None:
    x = torch.linspace(-4, 4, 41, dtype=torch.float64, requires_grad=True)
    y, log_derivative = kind.forward(x, params_of(kind, 41, 1.0))
    (slope,) = torch.autograd.grad(y.sum(), x)
    torch.testing.assert_close(slope.log(), log_derivative)


@kinds
def test_both_directions_have_gradients(kind: Elementwise) -> None:
    x = torch.tensor([-2.5, -0.3, 0.1, 3.0], dtype=torch.float64, requires_grad=True)
    params = params_of(kind, 4, 0.5).requires_grad_()
    assert torch.autograd.gradcheck(kind.forward, (x, params))
    assert torch.autograd.gradcheck(kind.inverse, (x, params))


@kinds
@pytest.mark.parametrize("far", [-1e4, 1e4])
def test_tails_lose_nothing(kind: Elementwise, far: float) -> None:
    """Far out the maps are straight lines: nothing saturates, in float32 either."""
    for dtype, tolerance in ((torch.float64, 1e-9), (torch.float32, 1e-4)):
        x = torch.tensor([far], dtype=dtype)
        params = params_of(kind, 1, 0.5).to(dtype)
        y, log_derivative = kind.forward(x, params)
        assert y.isfinite().all()
        assert log_derivative.isfinite().all()
        back, _ = kind.inverse(y, params)
        torch.testing.assert_close(back, x, rtol=tolerance, atol=tolerance)


def test_parameters_of_zero_are_near_the_identity() -> None:
    x = torch.linspace(-6, 6, 61, dtype=torch.float64)
    for kind, distance in (
        (Bernstein(), 1e-12),
        (LogisticMixture(), 0.4),
        (MonotoneNetwork(), 0.4),
    ):
        y, _ = kind.forward(x, torch.zeros(61, kind.num_params, dtype=torch.float64))  # type: ignore[attr-defined]
        torch.testing.assert_close(y, x, rtol=0, atol=distance)


def test_units_start_apart() -> None:
    """Units that start alike would get the same gradient and stay alike."""
    kind = MonotoneNetwork(units=3)
    params = torch.zeros(5, 9, dtype=torch.float64, requires_grad=True)
    y, log_derivative = kind.forward(torch.linspace(-1, 2, 5, dtype=torch.float64), params)
    (y.square().sum() - log_derivative.sum()).backward()  # type: ignore[no-untyped-call]
    assert params.grad is not None
    shifts = params.grad[:, 6:]
    assert (shifts[:, 0] - shifts[:, 1]).abs().max() > 1e-3


@pytest.mark.parametrize(
    ("build", "said"),
    [
        (lambda: LogisticMixture(components=0), "components: expected at least 1, got 0"),
        (lambda: MonotoneNetwork(units=0), "units: expected at least 1, got 0"),
        (lambda: MonotoneNetwork(layers=0), "layers: expected at least 1, got 0"),
        (lambda: Bernstein(degree=1), "degree: expected 2 to 99, got 1"),
        (lambda: Bernstein(bound=0.0), "bound: expected a number above 0, got 0.0"),
    ],
)
def test_refuses(build: Callable[[], Elementwise], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        build()
