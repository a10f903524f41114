"""The standard logistic."""

from __future__ import annotations

import math

import pytest
import torch

from lambent.core import seeded
from lambent.distributions import StandardLogistic


def test_log_prob_is_the_derivative_of_the_distribution_function() -> None:
    x = torch.linspace(-8, 8, 24, dtype=torch.float64).reshape(4, 2, 3).requires_grad_()
    (density,) = torch.autograd.grad(torch.sigmoid(x).sum(), x)
    expected = density.log().sum((1, 2))
    torch.testing.assert_close(StandardLogistic((2, 3)).log_prob(x), expected)
    torch.testing.assert_close(StandardLogistic((2, 3))(x), expected)


def test_the_gradient_far_out_is_one() -> None:
    x = torch.tensor([[-300.0, 300.0]], requires_grad=True)
    (gradient,) = torch.autograd.grad(StandardLogistic((2,)).log_prob(x).sum(), x)
    torch.testing.assert_close(gradient, torch.tensor([[1.0, -1.0]]))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_draws_have_the_modules_dtype(dtype: torch.dtype) -> None:
    base = StandardLogistic((3,)).to(dtype)
    assert base.sample(2).dtype == dtype
    assert base.log_prob(base.sample(2)).dtype == dtype


def test_draws_follow_the_distribution_function_and_temperature_scales_them() -> None:
    with seeded(0):
        x = StandardLogistic((2,)).sample(50_000)
    for quantile in (0.01, 0.25, 0.5, 0.9):
        edge = math.log(quantile / (1 - quantile))
        assert (x < edge).double().mean().item() == pytest.approx(quantile, abs=0.005)
    with seeded(0):
        assert torch.equal(StandardLogistic((2,)).sample(50_000, temperature=0.3), 0.3 * x)


def test_rows_of_context_are_counted_and_not_read() -> None:
    base = StandardLogistic((2,))
    assert base.sample(None, torch.randn(3, 5)).shape == (3, 2)
    assert base.sample(4, torch.randn(3, 5)).shape == (12, 2)
