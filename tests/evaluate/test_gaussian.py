from __future__ import annotations

import pytest
import torch

import lambent.evaluate.gaussian as room
from lambent.evaluate import gaussian_log_prob


def test_equals_the_density_of_torch() -> None:
    mix = torch.randn(4, 4)
    train, rows = torch.randn(50, 4) @ mix + 2, torch.randn(7, 4)
    wide = train.double()
    normal = torch.distributions.MultivariateNormal(wide.mean(0), wide.T.cov(correction=0))
    found = gaussian_log_prob(train, rows)
    assert found.dtype == torch.float64
    torch.testing.assert_close(found, normal.log_prob(rows.double()), rtol=1e-10, atol=1e-10)


def test_no_other_normal_is_likelier(monkeypatch: pytest.MonkeyPatch) -> None:
    """On the rows it is fitted to, whose mean log-likelihood then has a closed form."""
    monkeypatch.setattr(room, "AT_A_TIME", 11)
    train = (torch.randn(100, 3) @ torch.randn(3, 3)).double()
    covariance = train.T.cov(correction=0)
    expected = -(3 * torch.tensor(2 * torch.pi).double().log() + covariance.logdet() + 3) / 2
    torch.testing.assert_close(gaussian_log_prob(train, train).mean(), expected)


def test_fewer_rows_than_columns() -> None:
    with pytest.raises(ValueError, match=r"^train: expected a covariance of rank 5"):
        gaussian_log_prob(torch.randn(4, 5), torch.randn(2, 5))
