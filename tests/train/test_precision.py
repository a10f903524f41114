from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml

from lambent import Flow, Images, TrainConfig, fit, initialize, load, measure, seeded
from lambent.nn import CouplingNet
from lambent.train.metrics import read_metrics
from lambent.train.objectives import LikelihoodAndClass, MaximumLikelihood, Objective

NewFlow = Callable[..., Flow]
Quick = Callable[..., TrainConfig]
Pretend = Callable[..., None]


def learned(flow: Flow, images: Images) -> Flow:
    """With networks that do something: they start at zero."""
    with seeded(0):
        initialize(flow, images.images)
        for name, p in flow.named_parameters():
            if "last" in name:
                torch.nn.init.normal_(p, std=0.05)
    return flow


@pytest.fixture
def gain(monkeypatch: pytest.MonkeyPatch) -> Pretend:
    """Pretend that the device trains faster in bfloat16, or not."""

    def pretend(*, there: bool) -> None:
        monkeypatch.setattr("lambent.nn.precision.gains_from_bfloat16", lambda device: there)

    return pretend


def test_networks_run_in_it_in_training_alone(
    new_flow: NewFlow, images: Images, held_out: Images, quick: Quick, tmp_path: Path
) -> None:
    """The flow around them, its gradients and weights, and validation stay in float32."""
    flow = learned(new_flow(), images)
    casts: dict[bool, set[bool]] = {True: set(), False: set()}
    dtypes: set[torch.dtype] = set()

    def see(net: torch.nn.Module, *_: object) -> None:
        casts[net.training].add(torch.is_autocast_enabled("cpu"))

    for net in flow.modules():
        if isinstance(net, CouplingNet):
            net.register_forward_pre_hook(see)
    flow.transform.register_forward_hook(lambda _, __, out: dtypes.update(t.dtype for t in out))
    for p in flow.parameters():
        p.register_post_accumulate_grad_hook(
            lambda p: dtypes.add(p.dtype if p.grad is None else p.grad.dtype)
        )
    config = quick(precision="bfloat16")
    fitted = fit(flow, images, held_out, config=config, out=tmp_path / "run")
    assert fitted.precision == "bfloat16"
    assert casts == {True: {True}, False: {False}}
    assert dtypes == {torch.float32}
    assert {v.dtype for v in flow.parameters()} == {torch.float32}
    assert measure(flow, held_out).bits_per_dim == pytest.approx(fitted.bits_per_dim, abs=1e-5)
    assert measure(load(tmp_path / "run"), held_out).bits_per_dim == pytest.approx(
        fitted.bits_per_dim, abs=1e-5
    )


@pytest.mark.parametrize("class_weight", [0.0, 0.1])
def test_the_loss_is_near_and_not_the_same(
    class_weight: float, new_flow: NewFlow, images: Images
) -> None:
    """What is made of the flow's figures, the class head too, is in float32 either way."""
    flow = learned(new_flow(), images)
    objective: Objective = MaximumLikelihood()
    heads: list[torch.dtype] = []
    if class_weight:
        objective = LikelihoodAndClass(flow, 2, class_weight)
        objective.head.linear.register_forward_hook(lambda _, __, y: heads.append(y.dtype))
    judged: dict[str, Any] = {}
    for precision in ("float32", "bfloat16"):
        with seeded(1):
            judged[precision] = objective(flow, images.images, images.labels, precision)
    full, half = judged["float32"][0], judged["bfloat16"][0]
    assert full.dtype == half.dtype == torch.float32
    assert set(heads) == ({torch.float32} if class_weight else set())
    assert 0 < (full - half).abs() < 0.01
    for name, value in judged["bfloat16"][1].items():
        assert value.dtype == torch.float32, name


def test_auto_is_settled_when_a_run_starts(
    new_flow: NewFlow, images: Images, held_out: Images, quick: Quick, tmp_path: Path,
    gain: Pretend,
) -> None:  # fmt: skip
    """A resume goes on in it, on whatever machine; the settings stay as they were given."""
    config = quick(max_steps=10)
    gain(there=False)
    assert fit(new_flow(), images, held_out, config=config).precision == "float32"
    gain(there=True)
    out = tmp_path / "run"
    assert fit(new_flow(), images, held_out, config=config, out=out).precision == "bfloat16"
    assert yaml.safe_load((out / "config.yaml").read_text())["train"]["precision"] == "auto"
    gain(there=False)
    fitted = fit(new_flow(), images, held_out, config=quick(), out=out, resume=True)
    assert fitted.precision == "bfloat16"
    whole = quick(precision="bfloat16")
    fit(new_flow(), images, held_out, config=whole, out=tmp_path / "whole")
    rows, other = (read_metrics(tmp_path / r / "metrics.csv") for r in ("run", "whole"))
    assert rows[20]["validation/bits_per_dim"] == other[20]["validation/bits_per_dim"]


def test_a_run_from_before_there_was_a_choice_goes_on_in_float32(
    new_flow: NewFlow, images: Images, held_out: Images, quick: Quick, tmp_path: Path,
    gain: Pretend,
) -> None:  # fmt: skip
    out = tmp_path / "run"
    fit(new_flow(), images, held_out, config=quick(max_steps=10), out=out)
    settings = yaml.safe_load((out / "config.yaml").read_text())
    for name in ("precision", "optimizer_in_backward"):
        del settings["train"][name]
    (out / "config.yaml").write_text(yaml.safe_dump(settings))
    path = out / "checkpoints/last.ckpt"
    checkpoint = torch.load(path, weights_only=True)
    for name in ("precision", "clipped"):
        del checkpoint[name]
    torch.save(checkpoint, path)
    gain(there=True)
    fitted = fit(new_flow(), images, held_out, config=quick(), out=out, resume=True)
    assert (fitted.steps, fitted.precision, fitted.clipped) == (20, "float32", 0)


def test_a_loss_that_is_not_finite_is_looked_for_in_it(
    trapped: NewFlow, images: Images, held_out: Images, quick: Quick
) -> None:
    """The search runs as the step did."""
    flow = trapped(2, "loss")
    casts: list[tuple[bool, bool]] = []
    net = next(m for m in flow.modules() if isinstance(m, CouplingNet))
    net.register_forward_pre_hook(
        lambda *_: casts.append((torch.is_grad_enabled(), torch.is_autocast_enabled("cpu")))
    )
    with pytest.raises(FloatingPointError, match=r"step 2: .* first seen in trap"):
        fit(flow, images, held_out, config=quick(precision="bfloat16"))
    assert casts[-2:] == [(True, True), (False, True)]  # the step's network, the search's
