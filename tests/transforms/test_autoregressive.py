from __future__ import annotations

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from lambent.nn import MADE
from lambent.testing import jacobian, perturbed
from lambent.transforms import Affine, Autoregressive


def layer(features: int = 9, context: int | None = None, width: int = 16) -> Autoregressive:
    net = MADE(features, 2, width=width, context_features=context)
    return perturbed(Autoregressive(net, Affine()), 0.3, seed=2)


@pytest.mark.parametrize(
    ("dtype", "tolerance"), [(torch.float64, 1e-12), (torch.float32, 1e-5)], ids=["64", "32"]
)
def test_the_cached_inverse_equals_the_dense_one(dtype: torch.dtype, tolerance: float) -> None:
    steps = layer(context=2).to(dtype)
    z, context = torch.randn(5, 9, dtype=dtype), torch.randn(5, 2, dtype=dtype)
    cached = steps.inverse(z, context)
    steps.way = "dense"
    dense = steps.inverse(z, context)
    torch.testing.assert_close(cached, dense, rtol=tolerance, atol=tolerance)


def test_the_jacobian_is_triangular() -> None:
    matrix = jacobian(layer(4).double(), torch.randn(3, 4, dtype=torch.float64))
    assert torch.equal(matrix, matrix.tril())
    assert (matrix.tril(-1).abs().amax((1, 2)) > 1e-3).all()


def test_the_cached_inverse_costs_at_most_one_pass() -> None:
    steps, z = layer(16, width=32).float(), torch.randn(3, 16)

    def flops(way: str) -> int:
        with FlopCounterMode(display=False) as counter:
            if way == "forward":
                steps(z)
            else:
                steps.way = way  # type: ignore[assignment]
                steps.inverse(z)
        return counter.get_total_flops()

    forward = flops("forward")
    assert flops("dense") == 16 * forward
    assert 0 < flops("cached") <= forward
