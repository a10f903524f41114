"""Data-dependent initialisation: once, in order, recorded, and never again."""

from __future__ import annotations

import copy
import math

import pytest
import torch
from torch import Tensor

from lambent.core import Compose, Flow, initialize
from lambent.distributions import StandardNormal
from lambent.flows import GlowConfig, glow
from lambent.testing import pixels
from lambent.transforms import ActNorm, Rescale


def small(**settings: object) -> Flow:
    defaults = {"shape": (1, 4, 4), "grey_levels": 256, "levels": 2, "steps": 2, "width": 4}
    return glow(GlowConfig(**defaults | settings))


def state(flow: Flow) -> dict[str, Tensor]:
    return {key: value.clone() for key, value in flow.state_dict().items()}


def changed(flow: Flow, before: dict[str, Tensor]) -> list[str]:
    return [key for key, value in flow.state_dict().items() if not torch.equal(value, before[key])]


def test_sets_every_layer_and_records_it() -> None:
    flow = small()
    before = state(flow)
    initialize(flow, pixels()((16, 1, 4, 4)))
    keys = changed(flow, before)
    flags = [key for key in before if key.endswith("initialized")]
    assert len(flags) == 2 * 2 * 3  # two levels of two steps: the actnorm and two in its network
    assert all(bool(flow.state_dict()[key]) for key in flags)
    assert set(flags) <= set(keys)
    assert all(
        key.rpartition(".")[0] in {flag.rpartition(".")[0] for flag in flags} for key in keys
    )
    assert len(keys) == 3 * len(flags)


def test_is_idempotent() -> None:
    flow = small()
    initialize(flow, pixels()((16, 1, 4, 4)))
    before = state(flow)
    initialize(flow, pixels(3)((16, 1, 4, 4)))
    assert changed(flow, before) == []


def test_is_not_repeated_after_loading() -> None:
    flow, other = small(), small()
    initialize(flow, pixels()((16, 1, 4, 4)))
    other.load_state_dict(flow.state_dict())
    initialize(other, pixels(3)((16, 1, 4, 4)))
    assert changed(other, state(flow)) == []


def test_a_copy_made_before_can_still_be_set() -> None:
    flow = small()
    twin = copy.deepcopy(flow)
    initialize(flow, pixels()((16, 1, 4, 4)))
    before = state(twin)
    initialize(twin, pixels()((16, 1, 4, 4)))
    assert changed(twin, before)


def test_layers_see_what_those_before_them_pass_on() -> None:
    flow = Flow(Compose(Rescale(5.0, shift=2.0), ActNorm(2), ActNorm(2)), StandardNormal((2,)))
    initialize(flow, 3 * torch.randn(500, 2) + 1)
    assert isinstance(flow.transform, Compose)
    first, second = flow.transform[1].affine, flow.transform[2].affine
    assert first.log_scale.mean().item() == pytest.approx(-math.log(15), abs=0.2)
    assert second.log_scale.abs().max() < 1e-4
    assert second.bias.abs().max() < 1e-4


def test_half_set_flows_are_finished() -> None:
    """What is set already keeps its parameters; the rest is set from what it passes on."""
    flow = Flow(Compose(ActNorm(2), ActNorm(2)), StandardNormal((2,)))
    assert isinstance(flow.transform, Compose)
    flow.transform[0].affine.initialized.fill_(1)
    x = 3 * torch.randn(500, 2)
    initialize(flow, x)
    assert not flow.transform[0].affine.bias.any()
    assert flow.transform[1](x)[0].std().item() == pytest.approx(1.0, abs=0.05)


def test_a_flow_in_the_base_is_set_too() -> None:
    inner = Flow(ActNorm(2), StandardNormal((2,)))
    flow = Flow(Rescale(1.0), inner)
    initialize(flow, 3 * torch.randn(500, 2) + 1)
    assert bool(inner.transform.affine.initialized)
    assert inner.transform(3 * torch.randn(5000, 2) + 1)[0].std().item() == pytest.approx(
        1, abs=0.1
    )


def test_conditional_flows_are_set_with_their_context() -> None:
    flow = small(conditioning="strong", classes=3)
    initialize(flow, pixels()((9, 1, 4, 4)), torch.arange(9) % 3)
    assert all(bool(v) for k, v in flow.state_dict().items() if k.endswith("initialized"))
    with pytest.raises(ValueError, match="context: this flow is conditional"):
        initialize(small(conditioning="strong", classes=3), pixels()((9, 1, 4, 4)))


def test_leaves_no_hooks_and_no_gradients_behind() -> None:
    flow = small()
    initialize(flow, pixels()((16, 1, 4, 4)))
    assert not any(module._forward_pre_hooks for module in flow.modules())
    assert all(p.grad is None and p.requires_grad for p in flow.parameters())


def test_hooks_are_removed_when_the_pass_fails() -> None:
    flow = small()
    with pytest.raises(ValueError, match="expected a batch of events"):
        initialize(flow, pixels()((16, 1, 4, 2)))
    assert not any(module._forward_pre_hooks for module in flow.modules())


def test_a_constant_channel_keeps_its_scale() -> None:
    """Digits have pixels that are always 0: a scale of a million there would be no help."""
    layer = ActNorm(3)
    flow = Flow(layer, StandardNormal((3, 2, 2)))
    x = torch.randn(8, 3, 2, 2)
    x[:, 1] = 4.0
    initialize(flow, x)
    assert layer.affine.log_scale[1] == 0
    assert (layer.affine.log_scale[[0, 2]] != 0).all()
    assert not layer(x)[0][:, 1].any()
