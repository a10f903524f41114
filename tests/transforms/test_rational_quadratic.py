"""Free parameters as splines: every form is lawful, and one starts at the identity."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from lambent.transforms import Elementwise, RationalQuadratic

forms = pytest.mark.parametrize("form", ["centred", "released", "bounded"])


def params_of(elementwise: RationalQuadratic, rows: int, spread: float, seed: int) -> torch.Tensor:
    draw = torch.Generator().manual_seed(seed)
    return spread * torch.randn(rows, elementwise.num_params, generator=draw, dtype=torch.float64)


@forms
@given(seed=st.integers(0, 1000), spread=st.floats(0, 4), bins=st.integers(2, 8))
def test_increases_and_comes_back(form: Any, seed: int, spread: float, bins: int) -> None:
    curve = RationalQuadratic(bins=bins, form=form)
    x = torch.linspace(-4, 4, 301, dtype=torch.float64)
    one = params_of(curve, 1, spread, seed).expand(301, -1)
    y, there = curve.forward(x, one)
    assert bool((y.diff() > 0).all())
    back, here = curve.inverse(y, one)
    torch.testing.assert_close(back, x, rtol=1e-7, atol=1e-7)
    torch.testing.assert_close(there, -here, rtol=1e-6, atol=1e-6)


@forms
@pytest.mark.parametrize("spread", [0.0, 1.0, 1e4])
def test_the_least_sizes_are_kept(form: Any, spread: float) -> None:
    curve = RationalQuadratic(bins=5, min_width=0.01, min_height=0.02, min_slope=0.1, form=form)
    x, y, slope = curve.knots(params_of(curve, 100, spread, 1))
    assert bool((x[:, 0] == -3).all())
    assert bool((x[:, -1] == 3).all())
    assert bool((y[:, 0] == -3).all())
    assert bool((y[:, -1] == 3).all())
    assert bool((slope[:, 0] == 1).all())
    assert bool((slope[:, -1] == 1).all())
    least = (0.06, 0.12, 0.1) if form != "bounded" else (0.0, 0.0, 1e-3)
    for found, at_least in zip((x.diff(), y.diff(), slope), least, strict=True):
        assert found.min() > at_least - 1e-9


def test_parameters_of_zero_are_the_identity_where_centred() -> None:
    x = torch.linspace(-4, 4, 41, dtype=torch.float64)
    for form, identical in (("centred", True), ("released", False), ("bounded", True)):
        curve = RationalQuadratic(form=form)  # type: ignore[arg-type]
        y, log = curve.forward(x, torch.zeros(41, curve.num_params, dtype=torch.float64))
        assert torch.allclose(y, x, rtol=0, atol=1e-12) == identical
        assert torch.allclose(log, torch.zeros_like(x), rtol=0, atol=1e-12) == identical


def test_is_an_elementwise_of_three_numbers_a_bin_less_one() -> None:
    assert isinstance(RationalQuadratic(), Elementwise)
    assert RationalQuadratic(bins=4).num_params == 11


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"bins": 1}, r"^bins: expected at least 2, got 1"),
        ({"bound": 0.0}, r"^bound: expected a number above 0, got 0.0"),
        ({"min_width": 0.2}, r"^min_width: expected 0 to 1 / 8 bins, got 0.2"),
        ({"min_height": 0.0}, r"^min_height: expected 0 to 1 / 8 bins, got 0.0"),
        ({"min_slope": 1.0}, r"^min_slope: expected 0 to 1, got 1.0"),
    ],
)
def test_refuses(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        RationalQuadratic(**settings)
