from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from lambent import Flow, Images, TrainConfig, fit
from lambent.train.metrics import read_metrics
from lambent.train.statistics import layer_scales, part_gradients

NewFlow = Callable[..., Flow]
Quick = Callable[..., TrainConfig]


def test_gradients_of_each_part_by_hand(new_flow: NewFlow, images: Images) -> None:
    flow = new_flow(levels=2, shape=(1, 8, 8))
    found = flow(images.images.repeat(1, 1, 2, 2)).mean()
    found.backward()  # type: ignore[no-untyped-call]
    numbers: dict[str, list[torch.Tensor]] = {"level0": [], "level1": []}
    for name, p in flow.named_parameters():
        if p.grad is not None:
            numbers["level1" if ".levels.1." in name else "level0"].append(p.grad.flatten())
    expected = {k: float(torch.cat(v).square().mean().sqrt()) for k, v in numbers.items()}
    assert part_gradients(flow) == pytest.approx(expected, rel=1e-5)


def test_scales_by_hand(new_flow: NewFlow) -> None:
    flow = new_flow(steps=2)
    with torch.no_grad():
        for name, p in flow.named_parameters():
            if name.endswith("step1.actnorm.affine.raw_log_scale"):
                p.copy_(torch.tensor([0.5, -0.5, 0.0, 0.1]))
    expected = {"scales/smallest": 0.22313016, "scales/largest": 4.4816891}  # exp(-+3 * 0.5)
    assert layer_scales(flow) == pytest.approx(expected, rel=1e-6)


def test_are_of_the_step_before_a_validation(
    new_flow: NewFlow, images: Images, held_out: Images, quick: Quick, tmp_path: Path
) -> None:
    config = quick(max_steps=5, validate_every=2, clip_norm=None)
    fit(new_flow(), images, held_out, config=config, out=tmp_path)
    rows = read_metrics(tmp_path / "metrics.csv")
    found = {
        step: row["gradients/level0"] for step, row in rows.items() if "gradients/level0" in row
    }
    assert list(found) == [2, 4, 5]
    assert len(set(found.values())) == 3
