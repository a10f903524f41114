"""Elementwise maps: increasing, invertible, honest about their derivative, safe where promised."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from lambent.transforms import Additive, Affine, Elementwise, SigmoidAffine, Standardise

MAPS: dict[str, Elementwise] = {
    "additive": Additive(),
    "affine": Affine(),
    "affine 0.5": Affine(bound=0.5),
    "affine unbounded": Affine(bound=None),
    "sigmoid": SigmoidAffine(),
    "standardise": Standardise(),
    "standardise 7": Standardise(bound=7.0),
}
moderate = st.floats(-5, 5)
any_finite = st.floats(-1e6, 1e6)
bounds = st.floats(0.1, 7.0)


def wide(*values: float) -> Tensor:
    return torch.tensor(values, dtype=torch.float64)


def parameters(elementwise: Elementwise, shift: float, raw: float) -> Tensor:
    return wide(shift, raw)[: elementwise.num_params]


@pytest.mark.parametrize("name", MAPS)
@given(x=moderate, step=st.floats(1e-3, 5), shift=moderate, raw=moderate)
def test_increasing(name: str, x: float, step: float, shift: float, raw: float) -> None:
    params = parameters(MAPS[name], shift, raw).expand(2, -1)
    y, _ = MAPS[name].forward(wide(x, x + step), params)
    assert y[0] < y[1]


@pytest.mark.parametrize("name", MAPS)
@given(x=moderate, shift=moderate, raw=moderate)
def test_inverse_undoes_forward(name: str, x: float, shift: float, raw: float) -> None:
    params = parameters(MAPS[name], shift, raw)[None]
    y, there = MAPS[name].forward(wide(x), params)
    back, here = MAPS[name].inverse(y, params)
    torch.testing.assert_close(back, wide(x), rtol=1e-9, atol=1e-9)
    torch.testing.assert_close(there, -here, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("direction", ["forward", "inverse"])
@pytest.mark.parametrize("name", MAPS)
@given(x=moderate, shift=moderate, raw=moderate)
def test_log_derivative_is_autograds(
    name: str, direction: str, x: float, shift: float, raw: float
) -> None:
    at = wide(x).requires_grad_()
    y, log_derivative = getattr(MAPS[name], direction)(at, parameters(MAPS[name], shift, raw)[None])
    (slope,) = torch.autograd.grad(y.sum(), at)
    torch.testing.assert_close(log_derivative, slope.log(), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("name", MAPS)
def test_each_element_has_parameters_of_its_own(name: str) -> None:
    x, params = torch.randn(2, 3, 4), torch.randn(2, 3, 4, MAPS[name].num_params)
    y, log_derivative = MAPS[name].forward(x, params)
    assert y.shape == log_derivative.shape == x.shape
    alone, _ = MAPS[name].forward(x[1, 2, 3], params[1, 2, 3])
    torch.testing.assert_close(alone, y[1, 2, 3])


def test_formulas() -> None:
    x, params = wide(0.7), wide(0.3, -1.1)[None]
    s = math.exp(2 * math.tanh(-1.1 / 2))
    sigmoid = 1 / (1 + math.exp(-0.9))
    assert Additive().forward(x, params[:, :1])[0].item() == pytest.approx(1.0)
    assert Affine().forward(x, params)[0].item() == pytest.approx((0.7 + 0.3) * s)
    assert SigmoidAffine().forward(x, params)[0].item() == pytest.approx((0.7 + 0.3) * sigmoid)
    assert Standardise().forward(x, params)[0].item() == pytest.approx((0.7 - 0.3) * math.exp(1.1))
    assert Affine(bound=None).forward(x, params)[1].item() == pytest.approx(-1.1)


@pytest.mark.parametrize("kind", [Affine, Standardise])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@given(bound=bounds, x=any_finite, shift=any_finite, raw=any_finite)
def test_bounded_scale_keeps_its_bound_for_any_raw_parameter(
    kind: type[Affine | Standardise],
    dtype: torch.dtype,
    bound: float,
    x: float,
    shift: float,
    raw: float,
) -> None:
    elementwise = kind(bound=bound)
    params = torch.tensor([[shift, raw]], dtype=dtype, requires_grad=True)
    value = torch.tensor([x], dtype=dtype)
    for run in (elementwise.forward, elementwise.inverse):
        y, log_derivative = run(value, params)
        assert torch.isfinite(y).all()
        assert log_derivative.abs().item() <= bound * (1 + 1e-6)
        (gradient,) = torch.autograd.grad((y + log_derivative).sum(), params)
        assert torch.isfinite(gradient).all()


@pytest.mark.parametrize("kind", [Affine, Standardise])
@given(bound=bounds, raw=any_finite)
def test_scale_itself_lies_within_the_bound(
    kind: type[Affine | Standardise], bound: float, raw: float
) -> None:
    zero, one = torch.zeros(1), torch.ones(1)
    params = torch.tensor([[0.0, raw]])
    scale = kind(bound=bound).forward(one, params)[0] - kind(bound=bound).forward(zero, params)[0]
    assert math.exp(-bound) * (1 - 1e-5) <= scale.item() <= math.exp(bound) * (1 + 1e-5)


@given(bound=bounds, raw=st.floats(-0.01, 0.01))
def test_bounded_scale_is_near_the_exponential_at_zero(bound: float, raw: float) -> None:
    _, log_scale = Affine(bound=bound).forward(wide(1.0), wide(0.0, raw)[None])
    assert log_scale.item() == pytest.approx(raw, abs=abs(raw) ** 3 / bound**2 + 1e-15)


@pytest.mark.parametrize("raw", [-110.0, -1e3, -1e6])
def test_released_scale_promises_no_finite_inverse(raw: float) -> None:
    """The failure that the bounded default avoids: a scale of 0 and an infinite inverse."""
    params, y = torch.tensor([[0.0, raw]]), torch.ones(1)
    assert not torch.isfinite(SigmoidAffine().inverse(y, params)[0]).all()
    assert torch.isfinite(Affine().inverse(y, params)[0]).all()
    assert torch.isfinite(Standardise(bound=7.0).inverse(y, params)[0]).all()


def test_released_scale_only_shrinks() -> None:
    params = torch.stack((torch.zeros(50), torch.linspace(-20, 20, 50)), 1)
    _, log_scale = SigmoidAffine().forward(torch.ones(50), params)
    assert (log_scale <= 0).all()
    assert Affine().forward(torch.ones(50), params)[1].max() > 1.9
