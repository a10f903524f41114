from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from lambent import Flow, TrainConfig
from lambent.train.adamax import ReleasedAdamax
from lambent.train.optimizers import fuses, optimizer_for, rate_of

Quick = Callable[..., TrainConfig]


def build(module: nn.Module, config: TrainConfig) -> torch.optim.Optimizer:
    return optimizer_for(module, config, lambda parameters: None)


def descend(module: nn.Module, optimizer: torch.optim.Optimizer, steps: int = 4) -> None:
    """Some steps towards a fixed target."""
    for _ in range(steps):
        optimizer.zero_grad()
        for p in module.parameters():
            target = torch.arange(float(p.numel())).reshape(p.shape)
            (p - target).square().sum().backward()
        optimizer.step()


def module_of(*tensors: Tensor) -> nn.Module:
    return nn.ParameterList([nn.Parameter(t.clone()) for t in tensors])  # clones keep the layout


def test_adam_is_fused_where_it_can_be(quick: Quick) -> None:
    module = module_of(torch.randn(3, 4))
    assert build(module, quick()).defaults["fused"] is True
    assert "fused" not in build(module, quick(optimizer="adamax")).defaults


@pytest.mark.parametrize("layout", ["rows", "columns", "channels_last"])
def test_fused_adam_equals_plain_adam_in_any_layout(layout: str, quick: Quick) -> None:
    """A free 1x1 weight lies by columns, as QR leaves it."""
    x = torch.randn(2, 6, 4, 5)
    x = {
        "rows": x,
        "columns": torch.randn(7, 5).t(),
        "channels_last": x.to(memory_format=torch.channels_last),
    }[layout]
    module = module_of(x)
    assert module[0].stride() == x.stride()
    assert fuses(module.parameters())
    twin = copy.deepcopy(module)
    config = quick(learning_rate=0.1, weight_decay=0.1)
    descend(module, build(module, config))
    groups = [{"params": list(twin.parameters()), "weight_decay": 0.0}]
    descend(twin, torch.optim.AdamW(groups, lr=0.1, betas=(0.9, 0.999), foreach=False))
    torch.testing.assert_close(module[0], twin[0], rtol=0, atol=1e-6)
    assert (module[0] - x).abs().max() > 0.1


def test_gaps_in_memory_are_not_fused(quick: Quick) -> None:
    """The fused kernel would read gradients of other numbers there."""
    gappy = nn.ParameterList([nn.Parameter(torch.randn(5, 14)[:, ::2])])
    assert not fuses(gappy.parameters())
    assert build(gappy, quick()).defaults["fused"] is False
    start = gappy[0].detach().clone()
    descend(gappy, build(gappy, quick(learning_rate=0.1)), steps=1)
    towards = (torch.arange(35.0).reshape(5, 7) - start).sign()
    torch.testing.assert_close(gappy[0].detach(), start + 0.1 * towards, rtol=0, atol=1e-4)


def test_a_device_without_the_kernel_falls_back(
    quick: Quick, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lambent.train.optimizers._has_fused", lambda device, dtype: False)
    module = module_of(torch.randn(3))
    optimizer = build(module, quick(learning_rate=0.1))
    assert optimizer.defaults["fused"] is False
    before = module[0].detach().clone()
    descend(module, optimizer, steps=1)
    assert not torch.equal(module[0], before)


@pytest.mark.parametrize("was_fused", [True, False])
def test_a_loaded_state_takes_this_devices_kernel(quick: Quick, *, was_fused: bool) -> None:
    start = torch.randn(4, 3)
    module, twin = module_of(start), module_of(start)
    whole = build(twin, quick(learning_rate=0.1))
    descend(twin, whole, steps=6)
    first = build(module, quick(learning_rate=0.1))
    descend(module, first, steps=3)
    saved: dict[str, Any] = first.state_dict()
    for group in saved["param_groups"]:
        group["fused"] = was_fused
    second = build(module, quick(learning_rate=0.1))
    second.load_state_dict(saved)
    assert {group["fused"] for group in second.param_groups} == {True}
    assert {group["fused"] for group in saved["param_groups"]} == {was_fused}
    descend(module, second, steps=3)
    assert torch.equal(module[0], twin[0])


def test_every_parameter_of_a_glow_fuses(new_flow: Callable[..., Flow]) -> None:
    for permutation in ("plu", "conv"):
        assert fuses(new_flow(permutation=permutation).parameters())


def test_released_adamax_by_hand() -> None:
    """Three steps of the released code's formula, one number at a time."""
    grads = [0.5, -2.0, 0.25]
    p = nn.Parameter(torch.tensor([1.0], dtype=torch.float64))
    optimizer = ReleasedAdamax([p], lr=0.1, betas=(0.9, 0.99))
    x, m, v = 1.0, 0.0, 0.0
    for t, g in enumerate(grads, 1):
        p.grad = torch.tensor([g], dtype=torch.float64)
        optimizer.step()
        m, v = 0.9 * m + 0.1 * g, max(0.99 * v, abs(g))
        x -= 0.1 * (1 - 0.99**t) ** 0.5 / (1 - 0.9**t) * m / (v + 1e-8)
        assert p.item() == pytest.approx(x, rel=1e-12)


def test_released_adamax_starts_with_smaller_steps_than_adamax(quick: Quick) -> None:
    start = torch.randn(50)
    moved = {}
    for name in ("adamax", "adamax_released"):
        module = module_of(start)
        descend(module, build(module, quick(optimizer=name, learning_rate=0.1)), steps=1)
        moved[name] = (module[0].detach() - start).abs()
    ratio = moved["adamax_released"] / moved["adamax"]
    torch.testing.assert_close(ratio, torch.full_like(ratio, 0.001**0.5), rtol=1e-3, atol=0)


@pytest.mark.parametrize("optimizer", ["rmsprop", "sgd", "lamb", "adamax_released"])
def test_every_optimiser_decays_networks_weights_alone(quick: Quick, optimizer: str) -> None:
    """With gradients of zero only decay moves a weight; a bias stays."""
    module = nn.Linear(3, 2)
    nn.init.ones_(module.weight)
    before = copy.deepcopy(module)
    made = build(module, quick(optimizer=optimizer, learning_rate=1e-3, weight_decay=0.5))
    for p in module.parameters():
        p.grad = torch.zeros_like(p)
    made.step()
    assert (module.weight.abs() < before.weight.abs()).all()
    assert torch.equal(module.bias, before.bias)


def test_warmup_may_be_counted_in_images(quick: Quick) -> None:
    by_steps = quick(batch_size=8, warmup_steps=10)
    by_images = quick(batch_size=8, warmup_steps=0, warmup_images=80)
    assert [rate_of(by_images, s) for s in range(12)] == [rate_of(by_steps, s) for s in range(12)]
    assert rate_of(by_steps, 4) == pytest.approx(5 / 11)
