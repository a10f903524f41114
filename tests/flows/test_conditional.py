"""Glow conditional on images."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from lambent import Flow, GlowConfig, glow, initialize, seeded
from lambent.core.context import context_of, given, needs_labels
from lambent.testing import perturbed

SMALL: dict[str, Any] = {"shape": (1, 8, 8), "grey_levels": 256, "steps": 1, "width": 8}


def new(**settings: Any) -> Flow:
    values = {**SMALL, "conditioning": "image", "task": "superres:2", "context_features": 4}
    return glow(GlowConfig(**values | settings))


def pictures(n: int, side: int = 8) -> torch.Tensor:
    return torch.randint(256, (n, 1, side, side), dtype=torch.uint8)


def test_the_shape_of_the_context_follows_from_the_task() -> None:
    flow = new()
    x = pictures(2)
    context = context_of(flow, x, None)
    assert isinstance(context, torch.Tensor)
    assert context.shape == (2, 1, 4, 4)
    assert flow.log_prob(x, context).shape == (2,)


def test_the_encoder_runs_once_a_call() -> None:
    flow = new(task=None, context_shape=(1, 4, 4))
    calls = []
    assert flow.context_encoder is not None
    flow.context_encoder.register_forward_hook(lambda *_: calls.append(1))
    flow.log_prob(pictures(2), pictures(2, 4))
    flow.sample(3, pictures(2, 4))
    assert len(calls) == 2


def test_many_draws_for_many_images_in_one_call_are_context_major() -> None:
    flow = perturbed(new(), 0.3, seed=2)
    with seeded(0):
        context = pictures(3, 4)
    together = flow.sample(2, context, temperature=0.0)
    assert together.shape == (6, 1, 8, 8)
    alone = flow.sample(None, context, temperature=0.0)
    assert torch.equal(together, alone.repeat_interleave(2, 0))
    assert not torch.equal(alone[0], alone[1])


@pytest.mark.parametrize("settings", [{}, {"conditional_norm": False}, {"conditional_mix": True}])
def test_every_part_reads_the_image(settings: dict[str, Any]) -> None:
    """Each kind of network that reads planes changes the likelihood by itself."""
    flow = new(**settings)
    x, context = pictures(2), pictures(2, 4)
    initialize(flow, x, context)
    names = [name for name, _ in flow.transform.named_parameters()]
    kinds = {"prior", "coupling.net"}
    kinds |= set() if settings.get("conditional_norm") is False else {"inject"}
    kinds |= {"mix.net"} if settings.get("conditional_mix") else set()
    for kind in kinds:
        other = new(**settings)
        other.load_state_dict(flow.state_dict())
        chosen = [name for name in names if kind in name]
        with torch.no_grad(), seeded(3):
            for name in chosen:
                parameter = other.transform.get_parameter(name)
                parameter += 0.1 * torch.randn_like(parameter)
        with seeded(4):
            first = other.log_prob(x, context)
        with seeded(4):
            second = other.log_prob(x, 255 - context)
        assert not torch.allclose(first, second), kind


def test_label_and_image() -> None:
    flow = perturbed(new(conditioning="both", classes=3), 0.3, seed=1)
    assert given(flow) == "label and image"
    assert needs_labels(flow)
    x, y = pictures(2), torch.tensor([0, 1])
    context = context_of(flow, x, y)
    assert isinstance(context, tuple)

    def bits(labels: torch.Tensor, images: torch.Tensor) -> torch.Tensor:
        with seeded(0):
            return flow.log_prob(x, (labels, images))

    assert not torch.allclose(bits(*context), bits(2 - y, context[1]))
    assert not torch.allclose(bits(*context), bits(y, 255 - context[1]))
    assert flow.sample(2, context).shape == (4, 1, 8, 8)
    with pytest.raises(ValueError, match=r"^context: the flow is conditional on labels too"):
        context_of(flow, x, None)


def test_without_a_task_no_context_is_made() -> None:
    flow = new(task=None, context_shape=(1, 4, 4))
    with pytest.raises(ValueError, match=r"^task: the flow is conditional on images"):
        context_of(flow, pictures(2), None)


def test_labels_are_context_of_conditional_flows_only() -> None:
    x, y = pictures(2), torch.tensor([0, 1])
    assert context_of(glow(GlowConfig(**SMALL)), x, y) is None
    assert context_of(glow(GlowConfig(**SMALL, conditioning="top", classes=2)), x, y) is y


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"task": None}, "context_shape: conditioning on images expects a task or"),
        ({"context_shape": (1, 8, 8)}, "context_shape: task superres:2 makes"),
        ({"task": None, "context_shape": (0, 4, 4)}, "context_shape: conditioning on images"),
        ({"task": None, "context_shape": (1, 3, 3)}, "context_shape: expected a height and width"),
        ({"task": "superres:3"}, "task: superres:3 expects a height and width that 3 divides"),
        ({"task": "blur"}, "task: expected superres"),
        ({"conditioning": "top", "classes": 2}, "conditioning: task superres:2 expects image or"),
        ({"conditioning": "both"}, "classes: conditioning 'both' expects at least 1 class"),
        ({"context_features": 0}, "context_features: expected at least 1, got 0"),
        ({"context_blocks": -1}, "context_blocks: expected at least 0, got -1"),
        ({"conditional_mix": True, "permutation": "conv"}, "permutation: conditional_mix expects"),
    ],
)
def test_bad_settings(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=f"^{message}"):
        new(**settings)


def test_missing_and_wrong_images() -> None:
    flow = new()
    with pytest.raises(ValueError, match=r"^context: this flow is conditional"):
        flow.log_prob(pictures(2))
    with pytest.raises(ValueError, match=r"^context: expected images \(b, \*\(1, 4, 4\)\), got"):
        flow.sample(2, pictures(2, 8))
    with pytest.raises(ValueError, match=r"^context: expected one row for each of the 2 events"):
        flow.log_prob(pictures(2), pictures(3, 4))
