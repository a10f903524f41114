from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from lambent import Flow, Images, TrainConfig, fit
from lambent.train.finite import check_weights, gradient_error, gradient_norm, scale_gradients

NewFlow = Callable[..., Flow]
Quick = Callable[..., TrainConfig]

WAYS_TO_STEP = [{"clip_norm": 1e-3}, {"clip_norm": None}, {"clip_norm": None, "in_backward": True}]


def settings(way: dict[str, Any]) -> dict[str, Any]:
    return {
        "clip_norm": way["clip_norm"],
        "optimizer_in_backward": way.get("in_backward", False),
        "learning_rate": 0.01,
        "patience": None,
        "validate_every": 5,
    }


def with_gradients(*values: list[float] | None) -> list[nn.Parameter]:
    parameters = []
    for value in values:
        p = nn.Parameter(torch.zeros(1 if value is None else len(value)))
        p.grad = None if value is None else torch.tensor(value)
        parameters.append(p)
    return parameters


def tensors(value: object) -> Iterator[Tensor]:
    """Every tensor in nested mappings and lists."""
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from tensors(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from tensors(item)


def checkpoint(run: Path, name: str = "last") -> dict[str, Any]:
    found: dict[str, Any] = torch.load(run / f"checkpoints/{name}.ckpt", weights_only=True)
    return found


def test_the_norm_of_gradients() -> None:
    assert gradient_norm(with_gradients([3.0], None, [0.0, 4.0])) == 5.0
    assert gradient_norm(with_gradients(None)) == 0.0
    assert math.isnan(gradient_norm(with_gradients([1.0], [math.nan, 1.0])))
    assert math.isinf(gradient_norm(with_gradients([1.0], [math.inf])))


def test_finite_gradients_whose_squares_overflow() -> None:
    parameters = with_gradients([3e30, 0.0], [4e30])
    norm = gradient_norm(parameters)
    assert norm == pytest.approx(5e30, rel=1e-6)
    scale_gradients(parameters, 100.0 / norm)
    assert parameters[0].grad is not None
    torch.testing.assert_close(parameters[0].grad, torch.tensor([60.0, 0.0]))
    assert gradient_norm(parameters) == pytest.approx(100.0, rel=1e-6)


class Named(nn.Module):
    """Parameters under the names a run has."""

    def __init__(self, **gradients: float) -> None:
        super().__init__()
        self.flow = nn.Module()
        for part in ("transform", "context_encoder"):
            self.flow.add_module(part, nn.Module())
        for name, value in gradients.items():
            part, leaf = name.split("__")
            p = nn.Parameter(torch.zeros(2))
            p.grad = torch.tensor([0.0, value])
            self.flow.get_submodule(part).register_parameter(leaf, p)


@pytest.mark.parametrize(
    ("gradients", "named"),
    [
        ({"transform__a": math.nan, "transform__b": 0.0}, "transform.a"),
        ({"transform__a": math.nan, "transform__b": math.inf, "transform__c": 1.0}, "transform.b"),
        ({"transform__a": math.nan, "context_encoder__a": math.nan}, "transform.a"),
        ({"transform__a": 0.0, "context_encoder__a": math.nan}, "context_encoder.a"),
    ],
)
def test_names_the_parameter_nearest_the_loss(gradients: dict[str, float], named: str) -> None:
    module = Named(**gradients)
    error = gradient_error(module, list(module.parameters()), 7)
    assert str(error).startswith(f"training step 7: the loss is finite, the gradient of {named} is")


def test_weights_and_what_the_optimiser_holds() -> None:
    module = Named(transform__a=1.0)
    (p,) = module.parameters()
    check_weights(module, {p: {"step": torch.tensor(3.0), "exp_avg": torch.ones(2)}}, 9)
    with pytest.raises(FloatingPointError, match=r"step 9: the exp_avg_sq of transform.a is not"):
        check_weights(module, {p: {"exp_avg_sq": torch.tensor([1.0, math.inf])}}, 9)
    p.data[0] = math.nan
    with pytest.raises(FloatingPointError, match=r"step 9: the weight of transform.a is not"):
        check_weights(module, {}, 9)


@pytest.mark.parametrize("way", WAYS_TO_STEP)
def test_a_gradient_that_is_not_finite_stops_the_run(
    way: dict[str, Any], trapped: NewFlow, images: Images, held_out: Images, quick: Quick,
    tmp_path: Path,
) -> None:  # fmt: skip
    """The checkpoints hold finite numbers, and a run goes on from them as if nothing had been."""
    config = quick(max_steps=15, **settings(way))
    out = tmp_path / "run"
    message = r"step 12: the loss is finite, the gradient of transform\.trap\.root is not"
    with pytest.raises(FloatingPointError, match=message):
        fit(trapped(12, "gradient"), images, held_out, config=config, out=out)
    last = checkpoint(out)
    assert last["global_step"] == 10
    assert {"state_dict", "current_model_state", "optimizer_states"} <= set(last)
    for name in ("last", "best"):
        found = list(tensors(checkpoint(out, name)))
        assert len(found) > 50
        assert all(value.isfinite().all() for value in found)
    fit(trapped(), images, held_out, config=config, out=out, resume=True)
    fit(trapped(), images, held_out, config=config, out=tmp_path / "whole")
    for part in ("state_dict", "current_model_state"):
        whole = checkpoint(tmp_path / "whole")[part]
        assert whole.keys() == checkpoint(out)[part].keys()
        assert all(torch.equal(v, whole[k]) for k, v in checkpoint(out)[part].items())


@pytest.mark.parametrize("way", WAYS_TO_STEP)
@pytest.mark.parametrize("what", ["loss", "gradient"])
def test_nothing_is_updated_by_it(
    way: dict[str, Any], what: str, trapped: NewFlow, images: Images, held_out: Images,
    quick: Quick,
) -> None:  # fmt: skip
    """With updates inside the backward pass, those nearer the loss than the NaN have been made."""
    weights: list[dict[str, Tensor]] = []
    flow = trapped(3, what)

    def note(*_: object) -> None:
        if flow.training and torch.is_grad_enabled():
            weights.append({k: v.detach().clone() for k, v in flow.named_parameters()})

    flow.register_forward_pre_hook(note)
    with pytest.raises(FloatingPointError, match=r"^training step 3: the loss is"):
        fit(flow, images, held_out, config=quick(**settings(way)))
    assert len(weights) == 4
    now = dict(flow.named_parameters())
    assert all(v.isfinite().all() for v in now.values())
    if what == "loss" or not way.get("in_backward"):
        assert all(torch.equal(v, now[k]) for k, v in weights[-1].items())
    assert any(not torch.equal(v, weights[-2][k]) for k, v in weights[-1].items())


def test_a_weight_that_is_not_finite_is_not_saved(
    trapped: NewFlow, images: Images, held_out: Images, quick: Quick, tmp_path: Path
) -> None:
    config = quick(validate_every=5)
    with pytest.raises(FloatingPointError, match=r"step 10: the weight of transform\.trap\.spare"):
        fit(trapped(7, "weight"), images, held_out, config=config, out=tmp_path / "run")
    for name in ("last", "best"):
        found = checkpoint(tmp_path / "run", name)
        assert found["global_step"] == 5
        assert all(value.isfinite().all() for value in tensors(found))
