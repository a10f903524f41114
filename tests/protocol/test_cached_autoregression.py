"""An autoregressive layer whose conditioner remembers: the inverse costs one pass in all."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from lambent.core import Flow, Transform
from lambent.core.transform import check_context, sum_event
from lambent.distributions import StandardNormal
from lambent.testing import check_flow, check_normalised, check_transform, jacobian, perturbed
from lambent.transforms import Affine, Elementwise
from lambent.types import Context, PerSample, X, Z


class MADE(nn.Module):
    """Parameters of element i from the elements before it, by masked weights, one hidden layer.

    ``start(context)`` opens a cache; ``step(i, previous, cache)`` takes element ``i - 1`` (nothing
    for ``i = 0``) and gives the parameters of element ``i``.
    """

    def __init__(self, size: int, outputs: int, *, width: int = 12, context: int = 0) -> None:
        super().__init__()
        self.size, self.outputs = size, outputs
        self.degree = [1 + i % max(1, size - 1) for i in range(width)]
        self.enter = nn.Linear(size, width)
        self.leave = nn.Linear(width, size * outputs)
        self.condition = nn.Linear(context, width, bias=False) if context else None
        degree = torch.tensor(self.degree)
        element = torch.arange(1, size + 1)
        self.register_buffer("mask_in", (element <= degree[:, None]).float())
        later = element.repeat_interleave(outputs)
        self.register_buffer("mask_out", (degree < later[:, None]).float())

    def forward(self, x: Tensor, context: Context | None = None) -> Tensor:
        h = nn.functional.linear(x, self.enter.weight * self.mask_in, self.enter.bias)
        if self.condition is not None:
            h = h + self.condition(context)
        weight = self.leave.weight * self.mask_out
        return nn.functional.linear(h.tanh(), weight, self.leave.bias)

    def start(self, context: Context | None, batch: int) -> Tensor:
        h = self.enter.bias.expand(batch, -1)
        return h if self.condition is None else h + self.condition(context)

    def step(self, i: int, previous: Tensor | None, cache: Tensor) -> tuple[Tensor, Tensor]:
        if previous is not None:
            column = (self.enter.weight * self.mask_in)[:, i - 1]
            cache = cache + previous[:, None] * column
        rows = slice(i * self.outputs, (i + 1) * self.outputs)
        known = [k for k, degree in enumerate(self.degree) if degree < i + 1]
        weight = self.leave.weight[rows][:, known]
        return nn.functional.linear(cache[:, known].tanh(), weight, self.leave.bias[rows]), cache


class Autoregressive(Transform):
    """``z_i = g(x_i; net(x_<i))``; the inverse steps through the cache, or takes d dense passes."""

    def __init__(self, net: nn.Module, elementwise: Elementwise, *, cached: bool = True) -> None:
        super().__init__()
        self.net, self.elementwise, self.cached = net, elementwise, cached

    def forward(self, x: X, context: Context | None = None) -> tuple[Z, PerSample]:
        check_context(x, context)
        params = self.net(x, context).unflatten(1, (x.shape[1], -1))
        z, log_derivative = self.elementwise.forward(x, params)
        return z, sum_event(log_derivative)

    def inverse(self, z: Z, context: Context | None = None) -> tuple[X, PerSample]:
        check_context(z, context)
        run = self._by_steps if self.cached and hasattr(self.net, "step") else self._by_passes
        return run(z, context)

    def _by_steps(self, z: Tensor, context: Context | None) -> tuple[Tensor, Tensor]:
        cache, xs, logs = self.net.start(context, len(z)), [], []
        previous = None
        for i in range(z.shape[1]):
            params, cache = self.net.step(i, previous, cache)
            previous, log_derivative = self.elementwise.inverse(z[:, i], params)
            xs.append(previous)
            logs.append(log_derivative)
        return torch.stack(xs, 1), sum_event(torch.stack(logs, 1))

    def _by_passes(self, z: Tensor, context: Context | None) -> tuple[Tensor, Tensor]:
        x = torch.zeros_like(z)
        for _ in range(z.shape[1]):
            params = self.net(x, context).unflatten(1, (z.shape[1], -1))
            x, log_derivative = self.elementwise.inverse(z, params)
        return x, sum_event(log_derivative)


def build(size: int = 4, *, context: int = 0, cached: bool = True) -> Autoregressive:
    return Autoregressive(MADE(size, 2, context=context), Affine(), cached=cached)


@pytest.mark.parametrize("cached", [True, False])
def test_laws(*, cached: bool) -> None:
    check_transform(build(cached=cached), torch.randn(3, 4), spread=0.5, skip=["compile"])


def test_laws_with_a_context() -> None:
    check_transform(build(context=2), torch.randn(3, 4), torch.randn(3, 2), skip=["compile"])


@pytest.mark.compile
def test_compiles() -> None:
    check_transform(build(), torch.randn(3, 4))


def test_jacobian_is_triangular() -> None:
    matrix = jacobian(perturbed(build(), 0.5, seed=1), torch.randn(3, 4, dtype=torch.float64))
    assert torch.equal(matrix, matrix.tril())
    assert (matrix.tril(-1).abs().amax((1, 2)) > 1e-3).all()


def test_cached_inverse_equals_the_dense_one() -> None:
    layer = perturbed(build(9, context=2), 0.5, seed=2)
    z, context = torch.randn(5, 9).double(), torch.randn(5, 2).double()
    steps = layer.inverse(z, context)
    layer.cached = False
    passes = layer.inverse(z, context)
    torch.testing.assert_close(steps, passes, rtol=1e-12, atol=1e-12)


def test_cached_inverse_makes_no_dense_pass() -> None:
    passes = []
    layer = build(7)
    layer.net.register_forward_hook(lambda *_: passes.append(1))
    z = torch.randn(2, 7)
    layer.inverse(z)
    assert len(passes) == 0
    layer.cached = False
    layer.inverse(z)
    assert len(passes) == 7


def test_cached_inverse_costs_one_pass_in_all() -> None:
    size, batch, width = 16, 3, 12
    layer = build(size)
    z = torch.randn(batch, size)

    def flops(run: Callable[[Tensor], object]) -> int:
        with FlopCounterMode(display=False) as counter:
            run(z)
        return counter.get_total_flops()

    forward = flops(layer)
    assert forward == 2 * batch * width * (size + 2 * size)
    leaves = flops(layer.inverse)  # the entering columns are plain products, counted by hand
    enters = 2 * batch * width * (size - 1)
    layer.cached = False
    assert flops(layer.inverse) == size * forward
    assert 0 < leaves + enters <= forward


def test_flow_of_two_integrates_to_one() -> None:
    flow = perturbed(Flow(build(2), StandardNormal((2,))), 0.5, seed=3)
    check_flow(flow, torch.randn(3, 2), skip=["compile"])
    check_normalised(flow, -9.0, 9.0, points=400)
