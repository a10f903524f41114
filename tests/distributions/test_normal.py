"""The standard normal."""

from __future__ import annotations

import pytest
import torch

from lambent.distributions import StandardNormal


def test_log_prob_is_torchs() -> None:
    x = torch.randn(4, 2, 3, dtype=torch.float64)
    expected = torch.distributions.Normal(0.0, 1.0).log_prob(x).sum((1, 2))
    torch.testing.assert_close(StandardNormal((2, 3)).log_prob(x), expected)
    torch.testing.assert_close(StandardNormal((2, 3))(x), expected)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_draws_have_the_modules_dtype(dtype: torch.dtype) -> None:
    base = StandardNormal((3,)).to(dtype)
    assert base.sample(2).dtype == dtype
    assert base.log_prob(base.sample(2)).dtype == dtype


def test_half_precision_events_get_a_float32_density() -> None:
    assert StandardNormal((3,)).log_prob(torch.zeros(2, 3, dtype=torch.bfloat16)).dtype == (
        torch.float32
    )


def test_temperature_multiplies_the_standard_deviation() -> None:
    base = StandardNormal((2,))
    assert base.sample(50_000, temperature=0.3).std().item() == pytest.approx(0.3, rel=0.02)
    assert base.sample(50_000).std().item() == pytest.approx(1.0, rel=0.02)
    temperature = torch.tensor([0.0, 2.0]).repeat(20_000)
    x = base.sample(40_000, temperature=temperature)
    assert not x[::2].any()
    assert x[1::2].std().item() == pytest.approx(2.0, rel=0.02)


def test_rows_of_context_are_counted_and_not_read() -> None:
    base = StandardNormal((2,))
    assert base.sample(None, torch.randn(3, 5)).shape == (3, 2)
    assert base.sample(4, (torch.randn(3, 5), torch.randn(3, 1))).shape == (12, 2)
    x = torch.randn(3, 2)
    assert torch.equal(base.log_prob(x, torch.randn(3, 5)), base.log_prob(x))


def test_scalar_events() -> None:
    base = StandardNormal(())
    assert base.sample(5).shape == (5,)
    assert base.log_prob(base.sample(5)).shape == (5,)
