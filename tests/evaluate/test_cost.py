from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from lambent import Compose, Flow, GlowConfig, estimate_cost, glow
from lambent.core import Transform
from lambent.distributions import StandardNormal
from lambent.evaluate import Cost
from lambent.evaluate.cost_meter import Meter, Product
from lambent.evaluate.cost_rates import Rates, measure_rates
from lambent.nn import CouplingNet
from lambent.nn.fast import plain
from lambent.transforms import ActNorm, Affine, Coupling
from lambent.types import Context, PerSample, X, Z

RATES = Rates(flops=1e11, bytes=1e10, overhead=1e-6)


@pytest.fixture(autouse=True)
def _nothing_is_timed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The counts do not depend on the machine."""
    monkeypatch.setattr("lambent.evaluate.cost.measure_rates", lambda *_: RATES)


def built(**settings: Any) -> Flow:
    sizes = {"shape": (1, 8, 8), "grey_levels": 256, "levels": 1, "steps": 2, "width": 32}
    return glow(GlowConfig(**{**sizes, **settings}))


def pixels(n: int) -> Tensor:
    return torch.randint(0, 256, (n, 1, 8, 8), dtype=torch.uint8)


def cost(n: int = 4, **settings: Any) -> Cost:
    return estimate_cost(built(**settings), pixels(n))


def test_counts_of_a_product_by_hand() -> None:
    weight = nn.Parameter(torch.zeros(5, 7))
    x = torch.zeros(11, 5)
    meter = Meter([weight, x])
    with meter:
        y = x @ weight
        y.square().sum().backward()
    forward, backward = Product(1, 11, 5, 7), Product(1, 5, 11, 7, (True, False))
    assert meter.products == {forward: 2 * 11 * 5 * 7, backward: 2 * 11 * 5 * 7}
    kept = 4 * (11 * 7 + 5 * 7)  # y, and the weight's gradient
    assert meter.held == kept
    assert kept < meter.peak <= kept + 4 * (3 * 11 * 7 + 1)
    del y
    assert meter.held == 4 * 5 * 7


def test_bytes_held_are_those_of_storages() -> None:
    meter = Meter([])
    with meter:
        a = torch.zeros(100)
        views = [a[:10], a.view(10, 10).t()]
        assert meter.held == 400
        b = a + 1
        assert meter.held == 800
        del a
        assert meter.held == 800  # a view holds all of it
        del views, b
    assert (meter.held, meter.peak) == (0, 800)


@pytest.mark.parametrize("recompute", ["never", "checkpoint", "inverse"])
@pytest.mark.parametrize("permutation", ["plu", "conv"])
def test_meta_counts_what_the_cpu_does(recompute: str, permutation: str) -> None:
    """Nothing is computed there, and every count is the same."""
    flow = built(recompute=recompute, permutation=permutation, coupling="affine").train()
    counts = []
    for device in ("cpu", "meta"):
        on = copy.deepcopy(flow).to(device)
        meter = Meter([*on.parameters(), *on.buffers()])
        x = pixels(4).to(device)
        with meter:
            on.log_prob(x).mean().backward()
        counts.append(meter)
    real, meta = counts
    assert real.products == meta.products
    assert real.operations == pytest.approx(meta.operations, rel=0.05)
    assert real.moved == pytest.approx(meta.moved, rel=0.05)
    assert real.peak == pytest.approx(meta.peak, rel=0.05)


def test_flops_are_torchs_own_count() -> None:
    """On the plain path; the fast one adds products in place, which torch's counter passes over."""
    flow, x = built(), pixels(4)
    meter = Meter([])
    with plain(), FlopCounterMode(display=False) as counter:
        flow.log_prob(x).mean().backward()
    with plain(), meter:
        flow.log_prob(x).mean().backward()
    assert meter.flops == counter.get_total_flops() > 0
    assert cost().flops > 0.9 * meter.flops


def test_memory_in_parts() -> None:
    flow = built()
    x = pixels(4)
    learned = sum(p.numel() for p in flow.parameters())
    found = estimate_cost(flow, x, averages=1)
    assert found.parameters == learned
    assert found.parameter_bytes >= 4 * learned
    assert found.gradient_bytes == 4 * learned
    assert found.optimizer_bytes == 2 * 4 * learned
    assert found.average_bytes == 4 * learned
    assert found.batch_size == 4
    parts = ("parameter", "gradient", "optimizer", "average", "activation", "workspace")
    assert found.memory_bytes == sum(getattr(found, f"{part}_bytes") for part in parts)
    assert estimate_cost(flow, x, optimizer_states=1).optimizer_bytes == 4 * learned


def test_the_flow_is_left_as_it_is() -> None:
    flow, x = built().eval(), pixels(2)
    before = copy.deepcopy(flow.state_dict())
    state = torch.get_rng_state()
    estimate_cost(flow, x)
    assert not flow.training
    assert all(p.grad is None and not p.is_meta for p in flow.parameters())
    assert all(torch.equal(v, before[k]) for k, v in flow.state_dict().items())
    assert torch.equal(torch.get_rng_state(), state)


def test_a_model_without_values_and_a_batch_without_values() -> None:
    with torch.device("meta"):
        empty = built(conditioning="strong", classes=5, grey_levels=7)
        x = torch.empty(4, 1, 8, 8, dtype=torch.uint8)
        labels = torch.empty(4, dtype=torch.int64)
    full = built(conditioning="strong", classes=5, grey_levels=7)
    found = estimate_cost(empty, x, labels)
    expected = estimate_cost(full, pixels(4), torch.zeros(4, dtype=torch.int64))
    assert (found.flops, found.activation_bytes) == (expected.flops, expected.activation_bytes)


def test_what_recomputation_saves() -> None:
    """Activations of one more step: its hidden layers, its state, next to nothing."""
    few = {mode: cost(64, recompute=mode, steps=1) for mode in ("never", "checkpoint", "inverse")}
    many = {mode: cost(64, recompute=mode, steps=2) for mode in few}
    more = {mode: many[mode].activation_bytes - few[mode].activation_bytes for mode in few}
    hidden = 64 * 16 * 32 * 4  # bytes of one hidden layer
    assert more["never"] > 2 * hidden
    assert more["checkpoint"] < 0.5 * more["never"]
    assert more["inverse"] < 0.25 * more["checkpoint"]
    assert few["checkpoint"].flops > 1.1 * few["never"].flops


def test_cost_grows_with_the_batch() -> None:
    few, many = cost(4), cost(16)
    assert many.flops == pytest.approx(4 * few.flops, rel=0.05)
    assert 2.5 < many.activation_bytes / few.activation_bytes < 4.5
    assert many.gradient_bytes == few.gradient_bytes


def test_gradients_freed_in_the_backward_pass() -> None:
    flow, x = built(width=128, recompute="checkpoint"), pixels(1)
    kept = estimate_cost(flow, x)
    freed = estimate_cost(flow, x, optimizer_in_backward=True)
    assert freed.gradient_bytes == 0
    assert freed.memory_bytes < kept.memory_bytes - 0.3 * kept.gradient_bytes
    assert freed.optimizer_bytes == kept.optimizer_bytes


def test_any_flow_with_floats() -> None:
    """By hand, with a context, on two axes more than none."""
    net = CouplingNet(2, 4, width=8, context_features=3)
    flow = Flow(Compose(ActNorm(4), Coupling(net, Affine())), StandardNormal((4, 5, 5)))
    found = estimate_cost(flow, torch.zeros(2, 4, 5, 5), torch.zeros(2, 3))
    assert found.flops > 0
    assert found.seconds > 0


class Looks(Transform):
    """A layer whose path depends on values."""

    def forward(self, x: X, context: Context | None = None) -> tuple[Z, PerSample]:
        return (x if float(x.sum()) > 0 else -x), x.sum(1)

    def inverse(self, z: Z, context: Context | None = None) -> tuple[X, PerSample]:
        return z, -z.sum(1)


def test_a_flow_that_looks_at_values_is_refused() -> None:
    flow = Flow(Compose(ActNorm(3), Looks()), StandardNormal((3,)))
    with pytest.raises(ValueError, match=r"^flow: expected one whose ops run on the meta device"):
        estimate_cost(flow, torch.ones(2, 3))


def test_rates_are_a_machines() -> None:
    found = measure_rates(
        {Product(1, 256, 64, 64): 999, Product(4, 8, 8, 8): 9}, torch.device("cpu")
    )
    assert 1e8 < found.flops < 1e14
    assert 1e8 < found.bytes < 1e13
    assert 1e-8 < found.overhead < 1e-3
    assert measure_rates({}, torch.device("cpu")).flops > 1e8


def test_a_large_product_is_cut_before_it_is_measured() -> None:
    """Whole, it would take eight terabytes."""
    huge = Product(1, 10**6, 10**6, 10**6, (True, True))
    assert measure_rates({huge: 1}, torch.device("cpu")).flops > 1e8


def test_seconds_are_made_of_all_the_work() -> None:
    found = cost()
    rates = found.rates
    assert found.seconds > found.flops / rates.flops
    assert found.seconds > found.moved_bytes / rates.bytes
    assert found.seconds > found.operations * rates.overhead


def test_a_convolution_comes_down_to_a_product() -> None:
    conv = nn.Conv2d(3, 4, 3, bias=False)
    x = torch.zeros(2, 3, 8, 8)
    meter = Meter([])
    with meter:
        conv(x).sum().backward()
    product = Product(1, 2 * 6 * 6, 3 * 9, 4)
    assert meter.products == {product: 2 * 2 * (2 * 6 * 6) * (3 * 9) * 4}  # forward and weight
