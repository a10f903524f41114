"""The diagonal scaling."""

from __future__ import annotations

import pytest
import torch

from lambent import Flow, initialize
from lambent.distributions import StandardLogistic
from lambent.transforms import Scale


def test_the_log_det_is_the_sum_of_the_log_scales() -> None:
    layer = Scale((2, 2)).double()
    with torch.no_grad():
        layer.log_scale.copy_(torch.tensor([[0.1, -0.2], [0.3, 1.0]]))
    z, log_det = layer(torch.ones(3, 2, 2, dtype=torch.float64))
    torch.testing.assert_close(log_det, torch.full((3,), 1.2).double(), atol=1e-7, rtol=0)
    torch.testing.assert_close(z[0], layer.log_scale.detach().exp())


def test_initialisation_gives_unit_deviations_and_leaves_constants() -> None:
    x = torch.stack((3 + 5 * torch.randn(50), torch.full((50,), 2.0)), 1)
    flow = Flow(Scale((2,)), StandardLogistic((2,)))
    initialize(flow, x)
    z = flow.encode(x)
    assert z[:, 0].std(correction=0).item() == pytest.approx(1, rel=1e-3)
    assert torch.equal(z[:, 1], x[:, 1])


def test_another_shape_is_refused() -> None:
    with pytest.raises(ValueError, match=r"x: expected events of shape \(3,\), got \(2,\)"):
        Scale((3,))(torch.zeros(4, 2))
