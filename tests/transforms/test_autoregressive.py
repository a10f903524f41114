from __future__ import annotations

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from lambent.nn import MADE
from lambent.testing import jacobian, perturbed
from lambent.transforms import Affine, Autoregressive, Elementwise, RationalQuadratic


def layer(features: int = 9, context: int | None = None, width: int = 16) -> Autoregressive:
    net = MADE(features, 2, width=width, context_features=context)
    return perturbed(Autoregressive(net, Affine()), 0.3, seed=2)


@pytest.mark.parametrize(
    ("dtype", "tolerance"), [(torch.float64, 1e-12), (torch.float32, 1e-5)], ids=["64", "32"]
)
@pytest.mark.parametrize("recorded", [False, True])
@pytest.mark.parametrize("features", [9, 43])
def test_the_cached_inverse_equals_the_dense_one(
    dtype: torch.dtype, tolerance: float, features: int, *, recorded: bool
) -> None:
    """With gradients the steps put what is known side by side, without they write it down."""
    steps = layer(features, context=2).to(dtype)
    z, context = torch.randn(5, features, dtype=dtype), torch.randn(5, 2, dtype=dtype)
    with torch.set_grad_enabled(recorded):
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


def results(steps: Autoregressive, way: str, z: torch.Tensor) -> list[torch.Tensor]:
    """The inverse by a way, and the gradients of a loss of both its results."""
    steps.way = way  # type: ignore[assignment]
    z = z.clone().requires_grad_()
    x, minus_v = steps.inverse(z)
    weights = torch.linspace(-1, 2, x.numel(), dtype=x.dtype).view_as(x)
    loss = (weights * x.square()).sum() + (weights[:, 0] * minus_v).sum()
    return [x, minus_v, *torch.autograd.grad(loss, [z, *steps.parameters()])]


@pytest.mark.parametrize("curve", [Affine(), RationalQuadratic(bins=4)])
def test_the_jacobi_inverse_and_its_gradients_equal_the_dense_ones(curve: Elementwise) -> None:
    net = MADE(9, curve.num_params, width=16)
    steps = perturbed(Autoregressive(net, curve), 0.3, seed=2).double()
    z = torch.randn(5, 9, dtype=torch.float64)
    for found, expected in zip(
        results(steps, "jacobi", z), results(steps, "dense", z), strict=True
    ):
        torch.testing.assert_close(found, expected, rtol=1e-10, atol=1e-10)


def test_jacobi_takes_few_passes_where_numbers_say_little_of_each_other() -> None:
    steps = Autoregressive(MADE(64, 2, width=64), Affine(), inverse="jacobi")
    steps = perturbed(steps, 0.05, seed=3).double()
    calls: list[int] = []
    steps.net.register_forward_hook(lambda *_: calls.append(1))
    z = torch.randn(4, 64, dtype=torch.float64)
    with torch.no_grad():
        x, _ = steps.inverse(z)
    assert len(calls) < 40
    torch.testing.assert_close(steps(x)[0], z, rtol=1e-12, atol=1e-12)
    steps.tolerance, exact = 1e-4, len(calls)
    calls.clear()
    with torch.no_grad():
        near, _ = steps.inverse(z)
    assert len(calls) < exact
    torch.testing.assert_close(near, x, rtol=1e-3, atol=1e-3)


def test_refuses_a_tolerance() -> None:
    with pytest.raises(ValueError, match=r"^tolerance: expected at least 0, got -1"):
        Autoregressive(MADE(2, 2), Affine(), inverse="jacobi", tolerance=-1.0)
