"""The fused splines are the plain ones: values, first and second derivatives."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from lambent import plain
from lambent.transforms import RationalQuadratic

FORMS = [
    RationalQuadratic(bins=5),
    RationalQuadratic(bins=2, bound=1.5, form="released", min_width=0.05, min_height=0.02),
]
SHAPES = [(7,), (6, 3), (4, 2, 3), (3, 2, 2, 3)]


def given(spline: RationalQuadratic, shape: tuple[int, ...], scale: float = 1.0) -> list[Tensor]:
    """Numbers of which some lie outside, and parameters."""
    torch.manual_seed(0)
    x = 1.5 * spline.bound * (2 * torch.rand(shape, dtype=torch.float64) - 1)
    params = scale * torch.randn(*shape, spline.num_params, dtype=torch.float64)
    return [x.requires_grad_(), params.requires_grad_()]


def results(spline: RationalQuadratic, way: str, given: list[Tensor]) -> list[Tensor]:
    """Values, then gradients of a function of both."""
    value, log = getattr(spline, way)(*given)
    weights = torch.linspace(-1, 2, value.numel(), dtype=torch.float64).reshape(value.shape)
    loss = (weights * value + (1 - weights).sin() * log).sum() + (value * log).sum()
    return [value, log, *torch.autograd.grad(loss, given)]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("spline", FORMS)
@pytest.mark.parametrize("way", ["forward", "inverse"])
def test_equal(spline: RationalQuadratic, shape: tuple[int, ...], way: str) -> None:
    found = results(spline, way, given(spline, shape))
    with plain():
        expected = results(spline, way, given(spline, shape))
    for ours, theirs in zip(found, expected, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-10, atol=1e-11)


@pytest.mark.parametrize("way", ["forward", "inverse"])
def test_gradients_of_gradients(way: str) -> None:
    spline = RationalQuadratic(bins=3)
    function = getattr(spline, way)
    assert torch.autograd.gradcheck(function, given(spline, (5, 2)))
    assert torch.autograd.gradgradcheck(function, given(spline, (4, 2)))


def test_parameters_alone_or_numbers_alone() -> None:
    spline = RationalQuadratic(bins=4)
    x, params = given(spline, (5, 2))
    both = torch.autograd.grad(spline.forward(x, params)[0].sum(), (x, params))
    (alone,) = torch.autograd.grad(spline.forward(x.detach(), params)[0].sum(), params)
    torch.testing.assert_close(alone, both[1])
    (alone,) = torch.autograd.grad(spline.forward(x, params.detach())[0].sum(), x)
    torch.testing.assert_close(alone, both[0])
    log = spline.forward(x.detach(), params)[1]
    (graph,) = torch.autograd.grad(log.sum(), params, create_graph=True)
    with plain():
        log = spline.forward(x.detach(), params)[1]
        (expected,) = torch.autograd.grad(log.sum(), params, create_graph=True)
    torch.testing.assert_close(graph, expected)


def test_the_ends_and_the_knots() -> None:
    spline = RationalQuadratic(bins=4, bound=2.0)
    x = torch.tensor([-2.0, 2.0, -5.0, 5.0, 0.0], dtype=torch.float64)
    params = torch.randn(5, 11, dtype=torch.float64)
    y, log = spline.forward(x, params)
    torch.testing.assert_close(y[:4], x[:4], rtol=0, atol=1e-14)
    assert not log[2:4].any()
    knots = spline.knots(params)
    y, _ = spline.forward(knots.x.T, params.expand(5, 5, 11))
    torch.testing.assert_close(y, knots.y.T, rtol=0, atol=1e-13)


def test_one_number_of_float32() -> None:
    """In single precision both paths are as near to double."""
    spline = RationalQuadratic()
    x, params = given(spline, (2000, 3), scale=2.0)
    exact = spline.forward(x, params)
    fused = spline.forward(x.float(), params.float())
    with plain():
        simple = spline.forward(x.float(), params.float())
    for ours, theirs, truth in zip(fused, simple, exact, strict=True):
        worst = (theirs.double() - truth).abs().max()
        assert (ours.double() - truth).abs().max() < 3 * worst + 1e-6
