from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch

from lambent import Flow, Images, initialize, seeded, trace
from lambent.core.context import context_of
from lambent.train.objectives import (
    LikelihoodAndClass,
    MaximumLikelihood,
    objective_for,
    top_latent,
)

NewFlow = Callable[..., Flow]


def test_bits_per_dim(new_flow: NewFlow, images: Images) -> None:
    flow = new_flow()
    x, y = images[:8]
    with seeded(0):
        loss, logs = MaximumLikelihood()(flow, x, y)
    with seeded(0):
        expected = -flow.log_prob(x).mean() / (16 * math.log(2))
    assert loss == expected
    assert loss.requires_grad
    assert logs == {"bits_per_dim": loss}
    assert not logs["bits_per_dim"].requires_grad


def test_class_bits_by_hand(new_flow: NewFlow, images: Images) -> None:
    flow = new_flow(levels=2, conditioning="none")
    initialize(flow, images.images)
    x, y = images[:8]
    assert y is not None
    objective = LikelihoodAndClass(flow, 2, 0.25)
    _, logs = objective(flow, x, y)
    assert logs["class_bits"] == 1.0  # the head starts at zero: a coin
    with torch.no_grad():
        for parameter in objective.head.parameters():
            parameter.normal_(std=0.1)
    with seeded(0):
        loss, logs = objective(flow, x, y)
    with seeded(0):
        entries = trace(flow, x)
    latent = next(e.z for e in entries if e.path == "scales.level1.step0.coupling")
    assert latent.shape == (8, 8, 1, 1)
    logits = objective.head(latent.mean((2, 3)))
    bits = -logits.detach().log_softmax(1)[torch.arange(8), y].mean() / math.log(2)
    assert float(logs["class_bits"]) == pytest.approx(float(bits), abs=1e-5)
    assert float(logs["class_accuracy"]) == float((logits.argmax(1) == y).float().mean())
    share = float(logs["bits_per_dim"]) + 0.25 * float(bits)
    assert loss.item() == pytest.approx(share, abs=1e-5)
    assert not any(value.requires_grad for value in logs.values())


@pytest.mark.parametrize("conditioning", ["none", "top"])
@pytest.mark.parametrize("levels", [1, 2])
def test_the_top_latent_comes_before_its_prior(
    levels: int, conditioning: str, new_flow: NewFlow, images: Images
) -> None:
    flow = new_flow(levels=levels, conditioning=conditioning, classes=2)
    x, y = images[:3]
    entries = trace(flow, x, context_of(flow, x, y))
    (expected,) = (e.z for e in entries if e.path == f"scales.level{levels - 1}.step0.coupling")
    assert top_latent(entries) is expected


def test_a_ledger_gives_the_same(new_flow: NewFlow, images: Images) -> None:
    flow = new_flow()
    initialize(flow, images.images)
    x, y = images[:8]
    for objective in (MaximumLikelihood(), LikelihoodAndClass(flow, 2, 0.5)):
        with seeded(0):
            loss, logs = objective(flow, x, y)
        with seeded(0):
            entries = trace(flow, x)
        from_ledger, same = objective.of_ledger(flow, entries, y)
        torch.testing.assert_close(from_ledger, loss)
        torch.testing.assert_close(same, logs)


def test_choice(new_flow: NewFlow, images: Images) -> None:
    flow = new_flow()
    assert isinstance(objective_for(flow, None, 0.0), MaximumLikelihood)
    chosen = objective_for(flow, 2, 0.1)
    assert isinstance(chosen, LikelihoodAndClass)
    assert chosen.weight == 0.1
    with pytest.raises(ValueError, match=r"^class_weight: expected labelled data for 0\.1"):
        objective_for(flow, None, 0.1)
    with pytest.raises(ValueError, match=r"^class_weight: expected labelled data"):
        chosen(flow, images.images[:2], None)
