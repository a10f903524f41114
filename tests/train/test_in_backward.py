from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from lambent import Flow, Images, TrainConfig, fit
from lambent.train.in_backward import ROOM, AdamWInBackward
from lambent.train.metrics import read_metrics

NewFlow = Callable[..., Flow]
Quick = Callable[..., TrainConfig]

IN_BACKWARD = {"clip_norm": None, "optimizer_in_backward": True}


def layers() -> nn.Sequential:
    """Some layers of 288 bytes, one frozen, and a parameter that nothing reads."""
    torch.manual_seed(0)
    module = nn.Sequential(*(nn.Linear(8, 8) for _ in range(6)))
    module[3].requires_grad_(requires_grad=False)
    module.register_parameter("unused", nn.Parameter(torch.ones(5)))
    return module


def groups(module: nn.Module) -> list[dict[str, Any]]:
    """Weights decay, biases do not."""
    named = dict(module.named_parameters())
    return [
        {"params": [p for n, p in named.items() if n.endswith("weight")], "weight_decay": 0.1},
        {"params": [p for n, p in named.items() if not n.endswith("weight")], "weight_decay": 0.0},
    ]


def in_backward(
    module: nn.Module,
    room: int,
    check: Callable[[Sequence[nn.Parameter]], None] = lambda parameters: None,
) -> AdamWInBackward:
    return AdamWInBackward(
        groups(module), lr=0.01, betas=(0.9, 0.99), fused=True,
        check=check, room=room,
    )  # fmt: skip


def steps(module: nn.Module, optimizer: torch.optim.Optimizer, count: int) -> list[float]:
    """Steps of a falling size, on data of their own; the losses."""
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 0.7**step)
    losses = []
    for seed in range(count):
        x = torch.randn(16, 8, generator=torch.Generator().manual_seed(seed))

        def closure(x: Tensor = x) -> Tensor:
            optimizer.zero_grad()
            loss: Tensor = module(x).square().mean()
            loss.backward()
            return loss.detach()

        losses.append(float(optimizer.step(closure)))  # type: ignore[arg-type]
        schedule.step()
    return losses


def hooks(module: nn.Module) -> Iterator[object]:
    for p in module.parameters():
        yield from (p._post_accumulate_grad_hooks or {}).values()


@pytest.mark.parametrize("room", [1, 600, 2**20])
def test_weights_and_state_equal_adamws(room: int) -> None:
    module, twin = layers(), layers()
    ours = in_backward(module, room)
    theirs = torch.optim.AdamW(groups(twin), lr=0.01, betas=(0.9, 0.99), fused=True)
    assert steps(module, ours, 6) == steps(twin, theirs, 6)
    for p, q in zip(module.parameters(), twin.parameters(), strict=True):
        assert torch.equal(p, q)
        assert p.grad is None
    state, other = ours.state_dict(), theirs.state_dict()
    assert state["param_groups"] == other["param_groups"]
    assert state["state"].keys() == other["state"].keys()
    for number, values in other["state"].items():
        assert all(torch.equal(v, state["state"][number][k]) for k, v in values.items())
    assert {float(values["step"]) for values in state["state"].values()} == {6.0}


def test_the_state_moves_between_the_two() -> None:
    module, twin = layers(), layers()
    first = in_backward(module, 600)
    steps(module, first, 3)
    twin.load_state_dict(module.state_dict())
    second = torch.optim.AdamW(groups(twin), lr=0.01, betas=(0.9, 0.99), fused=True)
    second.load_state_dict(copy.deepcopy(first.state_dict()))
    assert steps(module, first, 3) == steps(twin, second, 3)
    for p, q in zip(module.parameters(), twin.parameters(), strict=True):
        assert torch.equal(p, q)


def test_gradients_are_freed_on_the_way() -> None:
    module = layers()
    optimizer = in_backward(module, 600)
    most = 0

    def count(_: Tensor) -> None:
        nonlocal most
        live = sum(4 * p.grad.numel() for p in module.parameters() if p.grad is not None)
        most = max(most, live)

    for p in module.parameters():
        if p.requires_grad:
            p.register_post_accumulate_grad_hook(count)
    steps(module, optimizer, 2)
    assert 0 < most <= 600 + 4 * 64  # what waits, and one more


def test_refuses_a_second_backward_pass() -> None:
    module = layers()
    optimizer = in_backward(module, 600)

    def closure() -> None:
        for _ in range(2):
            module(torch.ones(1, 8)).sum().backward()

    with pytest.raises(RuntimeError, match=r"^optimizer_in_backward: expected one backward pass"):
        optimizer.step(closure)
    assert list(hooks(module)) == []


def test_the_check_comes_before_each_update() -> None:
    """An error leaves later updates undone, no hook behind, and says that the step is torn."""
    module = layers()
    seen: list[nn.Parameter] = []

    def check(parameters: Sequence[nn.Parameter]) -> None:
        assert all(p.grad is not None for p in parameters)
        seen.extend(parameters)
        if any(p is module[1].weight for p in parameters):
            raise FloatingPointError("stop")

    before = copy.deepcopy(module)
    optimizer = in_backward(module, 1, check)
    with pytest.raises(FloatingPointError, match="stop"):
        steps(module, optimizer, 1)
    assert optimizer.torn
    assert list(hooks(module)) == []
    assert any(p is module[5].weight for p in seen)
    assert not torch.equal(module[5].weight, before[5].weight)
    for layer in (0, 1):
        assert torch.equal(module[layer].weight, before[layer].weight)


def test_an_error_before_the_first_update_tears_nothing() -> None:
    module = layers()
    optimizer = in_backward(module, 600)

    def closure() -> None:
        raise OSError("the disk is gone")

    with pytest.raises(OSError, match="the disk is gone"):
        optimizer.step(closure)
    assert not optimizer.torn


def checkpoint(run: Path) -> dict[str, Any]:
    found: dict[str, Any] = torch.load(run / "checkpoints/last.ckpt", weights_only=True)
    return found


def assert_same_run(run: Path, other: Path) -> None:
    one, two = checkpoint(run), checkpoint(other)
    assert one["global_step"] == two["global_step"]
    for part in ("state_dict", "current_model_state"):
        assert all(torch.equal(v, two[part][k]) for k, v in one[part].items())
    (mine,), (others,) = one["optimizer_states"], two["optimizer_states"]
    assert mine["state"].keys() == others["state"].keys() != set()
    for number, values in mine["state"].items():
        assert all(torch.equal(v, others["state"][number][k]) for k, v in values.items())


@pytest.mark.parametrize("recompute", ["never", "checkpoint", "inverse"])
def test_a_run_equals_one_with_the_usual_steps(
    recompute: str, new_flow: NewFlow, images: Images, held_out: Images, quick: Quick,
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """Warm-up and cosine included; it may be switched on or off at a resume."""
    common = {"schedule": "cosine", "warmup_steps": 4, "learning_rate": 0.01, "weight_decay": 0.1}
    usual = quick(**common, clip_norm=None)
    inside = quick(**common, **IN_BACKWARD)
    monkeypatch.setattr("lambent.train.in_backward.ROOM", 2000)
    sizes = {"steps": 2, "levels": 2, "recompute": recompute}
    fit(new_flow(**sizes), images, held_out, config=usual, out=tmp_path / "usual")
    fit(new_flow(**sizes), images, held_out, config=inside, out=tmp_path / "inside")
    assert_same_run(tmp_path / "inside", tmp_path / "usual")
    rows = [read_metrics(tmp_path / run / "metrics.csv") for run in ("inside", "usual")]
    for step in (10, 20):
        usual = {k: v for k, v in rows[1][step].items() if not k.startswith("gradients/")}
        assert rows[0][step] == pytest.approx(usual, rel=1e-6)
        assert rows[0][step]["train/grad_norm"] > 0


def test_resumes(
    new_flow: NewFlow, images: Images, held_out: Images, quick: Quick, tmp_path: Path
) -> None:
    common = {"learning_rate": 0.01, "patience": None}
    whole = quick(**common, **IN_BACKWARD)
    fit(new_flow(), images, held_out, config=whole, out=tmp_path / "whole")
    for second in (IN_BACKWARD, {"clip_norm": None}):
        out = tmp_path / f"{len(second)}"
        first = quick(max_steps=13, **common, **IN_BACKWARD)
        fit(new_flow(), images, held_out, config=first, out=out)
        later = quick(**common, **second)
        fit(new_flow(), images, held_out, config=later, out=out, resume=True)
        assert_same_run(out, tmp_path / "whole")


def test_memory_of_gradients_in_a_run(
    new_flow: NewFlow, images: Images, held_out: Images, quick: Quick
) -> None:
    flow = new_flow(steps=8, width=384)
    parameters = list(flow.parameters())
    size = sum(4 * p.numel() for p in parameters)
    most = 0

    def count(_: Tensor) -> None:
        nonlocal most
        most = max(most, sum(4 * p.grad.numel() for p in parameters if p.grad is not None))

    handles = [p.register_post_accumulate_grad_hook(count) for p in parameters]
    fit(flow, images, held_out, config=quick(max_steps=2, **IN_BACKWARD, ema_decay=None))
    assert size > 5 * 2**20
    assert 0 < most <= ROOM + 4 * 384**2 < size / 3
    for handle in handles:
        handle.remove()
    assert list(hooks(flow)) == []


def test_ctrl_c_inside_a_backward_pass(
    new_flow: NewFlow, images: Images, held_out: Images, quick: Quick, tmp_path: Path
) -> None:
    """Some weights are of one step and some of the next then: the last validation's are kept."""
    common = {"learning_rate": 0.01, "patience": None}
    config = quick(**common, **IN_BACKWARD)
    flow = new_flow(steps=4, width=256)
    first = next(flow.parameters())
    calls = 0

    def interrupt(_: Tensor) -> None:
        nonlocal calls
        calls += 1
        if calls == 13:
            raise KeyboardInterrupt

    handle = first.register_post_accumulate_grad_hook(interrupt)
    with pytest.raises(KeyboardInterrupt):
        fit(flow, images, held_out, config=config, out=tmp_path / "run")
    handle.remove()
    assert list(hooks(flow)) == []
    assert checkpoint(tmp_path / "run")["global_step"] == 10
    again = new_flow(steps=4, width=256)
    fit(again, images, held_out, config=config, out=tmp_path / "run", resume=True)
    whole = new_flow(steps=4, width=256)
    fit(whole, images, held_out, config=config, out=tmp_path / "whole")
    assert_same_run(tmp_path / "run", tmp_path / "whole")
