"""The logit: its ends, its round trip, its slope."""

from __future__ import annotations

import pytest
import torch

from lambent import DomainError
from lambent.transforms import Logit


def test_both_ends_have_an_image() -> None:
    z, _ = Logit(0.05)(torch.tensor([[0.0, 0.5, 1.0]]))
    torch.testing.assert_close(z, torch.tensor([[-2.944439, 0.0, 2.944439]]))


def test_round_trip_in_single_precision() -> None:
    x = torch.linspace(0, 1, 1001)[None]
    z, log_det = Logit(1e-3)(x)
    back, minus = Logit(1e-3).inverse(z)
    torch.testing.assert_close(back, x, atol=1e-6, rtol=0)
    torch.testing.assert_close(minus, -log_det)


def test_log_det_by_finite_differences() -> None:
    layer, x, step = Logit(0.1), torch.tensor([[0.03, 0.4, 0.98]], dtype=torch.float64), 1e-6
    slope = (layer(x + step)[0] - layer(x - step)[0]) / (2 * step)
    torch.testing.assert_close(layer(x)[1], slope.log().sum(1), atol=1e-7, rtol=0)


@pytest.mark.parametrize(("alpha", "x"), [(0.0, 0.0), (0.0, 1.0), (0.05, 1.2), (0.05, -0.1)])
def test_outside_the_domain(alpha: float, x: float) -> None:
    with pytest.raises(DomainError, match="x: expected numbers from 0 to 1"):
        Logit(alpha)(torch.tensor([[x]]))


@pytest.mark.parametrize("alpha", [-0.1, 0.5])
def test_alpha_out_of_range(alpha: float) -> None:
    with pytest.raises(ValueError, match=r"alpha: expected 0 up to less than 0\.5"):
        Logit(alpha)
