"""Student's t."""

from __future__ import annotations

import math

import pytest
import torch
from scipy import stats

from lambent.core import seeded
from lambent.distributions import StudentT
from lambent.testing import check_normalised, perturbed


def student(shape: tuple[int, ...], degrees: float = 5.0) -> StudentT:
    return perturbed(StudentT(shape, degrees=degrees), 0.5, seed=1).double()


def test_log_prob_is_torchs_and_scipys() -> None:
    base, x = student((2, 3)), 3 * torch.randn(4, 2, 3, dtype=torch.float64)
    degrees = base.degrees.detach()
    expected = torch.distributions.StudentT(degrees).log_prob(x).sum((1, 2))
    torch.testing.assert_close(base.log_prob(x), expected, rtol=1e-10, atol=1e-10)
    scipys = stats.t(df=degrees.numpy()).logpdf(x.numpy()).sum((1, 2))
    torch.testing.assert_close(base(x).detach(), torch.from_numpy(scipys), rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("size", [1, 2])
def test_it_integrates_to_one_and_matches_its_draws(size: int) -> None:
    check_normalised(student((size,), 12.0), -60.0, 60.0, points=1200)


def test_many_degrees_are_a_normal_in_float32_too() -> None:
    x = torch.linspace(-4, 4, 9)[:, None]
    many, normal = StudentT((1,), degrees=1e6), torch.distributions.Normal(0.0, 1.0)
    torch.testing.assert_close(many.log_prob(x), normal.log_prob(x)[:, 0], rtol=1e-4, atol=1e-4)


def test_temperature_multiplies_the_scale_and_is_the_mean_at_0() -> None:
    base = StudentT((2,), degrees=8.0)
    with seeded(0):
        x = base.sample(50_000)
    assert x.var().item() == pytest.approx(8 / 6, rel=0.05)
    with seeded(0):
        torch.testing.assert_close(base.sample(50_000, temperature=0.3), 0.3 * x)
    assert not bool(base.sample(5, temperature=0.0).any())
    each = base.sample(4, temperature=torch.tensor([0.0, 1.0, 0.0, 2.0]))
    assert (each != 0).all(1).tolist() == [False, True, False, True]


def test_draws_carry_the_gradient_of_the_degrees() -> None:
    """``E ln(1 + x^2 / 7)``, by quadrature and by draws."""
    base = StudentT((1,), degrees=3.0).double()
    with seeded(1):
        x = base.rsample(200_000)
    (found,) = torch.autograd.grad(torch.log1p(x.square() / 7).mean(), base.raw_degrees)
    grid = torch.linspace(-2000, 2000, 400_001, dtype=torch.float64)[:, None]
    mean = (base.log_prob(grid).exp() * torch.log1p(grid[:, 0].square() / 7)).sum() * 0.01
    (expected,) = torch.autograd.grad(mean, base.raw_degrees)
    assert found.item() == pytest.approx(expected.item(), rel=0.05)


def test_the_degrees_are_learned_and_kept() -> None:
    with seeded(0):
        x = torch.distributions.StudentT(3.0).sample((4000, 1))
        base = StudentT((1,))
    optimizer = torch.optim.Adam(base.parameters(), lr=0.1)
    for _ in range(200):
        optimizer.zero_grad()
        (-base.log_prob(x).mean()).backward()
        optimizer.step()
    assert base.degrees.item() == pytest.approx(3.0, abs=0.5)
    again = StudentT((1,))
    again.load_state_dict(base.state_dict())
    assert torch.equal(again.degrees, base.degrees)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_draws_have_the_modules_dtype_and_rows(dtype: torch.dtype) -> None:
    base = StudentT((3,)).to(dtype)
    assert base.sample(4, torch.randn(3, 5)).shape == (12, 3)
    assert base.log_prob(base.sample(2)).dtype == base.sample(2).dtype == dtype
    assert StudentT(()).sample(5).shape == StudentT(()).log_prob(torch.zeros(5)).shape == (5,)


@pytest.mark.parametrize("degrees", [1.0, -2.0, math.inf, math.nan])
def test_refuses_degrees(degrees: float) -> None:
    with pytest.raises(ValueError, match=r"^degrees: expected a number above 1, got"):
        StudentT((2,), degrees=degrees)
