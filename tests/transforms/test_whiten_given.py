"""Whitening around a mean that is linear in the context."""

from __future__ import annotations

import pytest
import torch

from lambent.core import Flow, initialize
from lambent.distributions import StandardNormal
from lambent.transforms import WhitenGiven


def test_starts_at_the_regression() -> None:
    c = torch.randn(400, 2).double()
    slope = torch.tensor([[1.0, -2.0], [0.5, 0.0], [0.0, 3.0]]).double()
    error = torch.randn(400, 3).double() @ torch.randn(3, 3).double()
    x = c @ slope.T + 5 + error
    flow = Flow(WhitenGiven(3, 2), StandardNormal((3,))).double()
    initialize(flow, x, c)
    assert isinstance(flow.transform, WhitenGiven)
    torch.testing.assert_close(flow.transform.slope.data, slope, atol=0.4, rtol=0)
    z = flow.encode(x, c)
    torch.testing.assert_close(z.T @ z / 400, torch.eye(3).double(), atol=1e-4, rtol=0)
    torch.testing.assert_close(
        z.T @ c / 400 - z.mean(0)[:, None] * c.mean(0), 0 * slope, atol=1e-4, rtol=0
    )


def test_refuses() -> None:
    with pytest.raises(ValueError, match=r"^context_features: expected at least 1, got 0"):
        WhitenGiven(2, 0)
    with pytest.raises(ValueError, match=r"^context: expected shape \(b, 2\), got None"):
        WhitenGiven(3, 2).forward(torch.zeros(4, 3))
