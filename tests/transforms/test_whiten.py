"""The whitening layer."""

from __future__ import annotations

import math

import pytest
import torch

from lambent import seeded
from lambent.core import Flow, initialize
from lambent.distributions import StandardNormal
from lambent.transforms import Whiten


def rows(n: int, d: int = 4) -> torch.Tensor:
    with seeded(0):
        return torch.randn(n, d) @ torch.randn(d, d) + torch.arange(d) * 3


def whitened(x: torch.Tensor) -> Flow:
    flow = Flow(Whiten(x.shape[1]), StandardNormal((x.shape[1],))).to(x.dtype)
    initialize(flow, x)
    return flow


def test_starts_at_the_normal_of_full_covariance() -> None:
    x = rows(200).double()
    flow = whitened(x)
    centred = x - x.mean(0)
    normal = torch.distributions.MultivariateNormal(x.mean(0), centred.T @ centred / len(x))
    torch.testing.assert_close(flow.log_prob(x), normal.log_prob(x), atol=1e-3, rtol=0)
    z = flow.encode(x)
    torch.testing.assert_close(z.T @ z / len(x), torch.eye(4).double(), atol=1e-5, rtol=0)


def test_few_rows_tell_no_covariance() -> None:
    x = rows(4)
    flow = whitened(x)
    assert isinstance(flow.transform, Whiten)
    assert not flow.transform.lower.any()
    torch.testing.assert_close(flow.encode(x).square().mean(0), torch.ones(4))


def test_constant_and_repeated_columns_keep_it_finite() -> None:
    x = rows(50)
    x = torch.cat((x, x[:, :1], torch.full((50, 1), 7.0)), 1)
    flow = whitened(x)
    assert flow.log_prob(x).isfinite().all()
    torch.testing.assert_close(flow.decode(flow.encode(x)), x, atol=1e-3, rtol=1e-3)
    assert math.isclose(float(flow.encode(x)[:, -1].abs().max()), 0, abs_tol=1e-5)


def test_features_out_of_range_are_refused() -> None:
    with pytest.raises(ValueError, match="features: expected at least 1, got 0"):
        Whiten(0)
