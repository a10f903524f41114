from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import pytest
import torch
from pytorch_optimizer import Lamb
from torch.utils.data import DataLoader

from lambent import Flow, Images, TrainConfig, fit, initialize, seeded
from lambent.data import ShuffledBatches
from lambent.store import RunFolder
from lambent.train.adamax import ReleasedAdamax
from lambent.train.metrics import read_metrics
from lambent.train.module import Training
from lambent.train.objectives import MaximumLikelihood
from lambent.train.trainer import quiet, trainer_for

NewFlow = Callable[..., Flow]
Quick = Callable[..., TrainConfig]


class Watch(pl.Callback):
    """Notes weights and gradients after every step; clipped gradients stay until the next."""

    def __init__(self) -> None:
        self.weights: list[dict[str, torch.Tensor]] = []
        self.norms: list[float] = []

    def on_train_batch_end(
        self, trainer: pl.Trainer, module: pl.LightningModule, *_: object
    ) -> None:
        self.weights.append({k: v.detach().clone() for k, v in module.named_parameters()})
        gradients = [p.grad for p in module.parameters() if p.grad is not None]
        self.norms.append(float(torch.nn.utils.get_total_norm(gradients)))


def loader(images: Images, batches: Iterable[torch.Tensor]) -> DataLoader[Any]:
    return DataLoader(images, sampler=batches, batch_size=None, collate_fn=tuple)


def train(flow: Flow, images: Images, config: TrainConfig, path: Path) -> Watch:
    """A run of the trainer alone, watched."""
    with seeded(0):
        initialize(flow, images.images)
    torch.manual_seed(0)
    watch = Watch()
    with quiet():
        trainer = trainer_for(RunFolder(path), config, torch.device("cpu"), None, 0)
        trainer.callbacks.append(watch)
        order = ShuffledBatches(len(images), config.batch_size, 0)
        module = Training(flow, MaximumLikelihood(), config)
        trainer.fit(module, loader(images, order), loader(images, [torch.arange(20)]))
    return watch


def rates(flow: Flow, config: TrainConfig, steps: int) -> list[float]:
    """The step sizes of the first steps."""
    found = Training(flow, MaximumLikelihood(), config).configure_optimizers()
    optimizer, schedule = found["optimizer"], found["lr_scheduler"]["scheduler"]
    sizes = []
    for _ in range(steps):
        sizes.append(optimizer.param_groups[0]["lr"])
        assert {group["lr"] for group in optimizer.param_groups} == {sizes[-1]}
        optimizer.step()
        schedule.step()
    return sizes


def test_warm_up_is_linear(new_flow: NewFlow, quick: Quick) -> None:
    config = quick(learning_rate=0.5, warmup_steps=4)
    expected = [0.1, 0.2, 0.3, 0.4, 0.5, 0.5, 0.5]
    assert rates(new_flow(), config, 7) == pytest.approx(expected, abs=1e-12)
    config = quick(learning_rate=0.5, warmup_steps=0)
    assert rates(new_flow(), config, 3) == [0.5, 0.5, 0.5]


def test_cosine_reaches_zero_at_the_last_step(new_flow: NewFlow, quick: Quick) -> None:
    config = quick(learning_rate=2.0, warmup_steps=1, max_steps=8, schedule="cosine")
    cosine = [1 + math.cos(math.pi * step / 8) for step in range(9)]
    expected = [0.5 * cosine[0], *cosine[1:], 0.0]
    assert rates(new_flow(), config, 10) == pytest.approx(expected, abs=1e-12)


def test_optimisers_and_what_decays(new_flow: NewFlow, quick: Quick) -> None:
    """Only the networks' matrices decay: not the flow's own factors, scales and shifts."""
    flow = new_flow(conditioning="strong", classes=2, permutation="conv")
    kinds = {
        "adam": torch.optim.AdamW,
        "adamax": torch.optim.Adamax,
        "adamax_released": ReleasedAdamax,
        "rmsprop": torch.optim.RMSprop,
        "sgd": torch.optim.SGD,
        "lamb": Lamb,
    }
    for name, kind in kinds.items():
        config = quick(optimizer=name, weight_decay=0.25, beta2=0.7, learning_rate=0.1)
        module = Training(flow, MaximumLikelihood(), config)
        optimizer = module.configure_optimizers()["optimizer"]
        assert type(optimizer) is kind
        said = {k: v for k, v in optimizer.defaults.items() if k in ("betas", "alpha", "momentum")}
        expected = {"sgd": {"momentum": 0.9}, "rmsprop": {"alpha": 0.7, "momentum": 0.9}}
        assert said == expected.get(name, {"betas": (0.9, 0.7)})
        names = {parameter: name for name, parameter in module.named_parameters()}
        groups = {
            g["weight_decay"]: {names[p] for p in g["params"]} for g in optimizer.param_groups
        }
        assert set(groups) == {0.25, 0.0}
        assert groups[0.25] | groups[0.0] == set(names.values())
        assert not groups[0.25] & groups[0.0]
        assert all(".net." in name and name.endswith(".weight") for name in groups[0.25])
        matrices = {n for p, n in names.items() if ".net." in n and n.endswith(".weight")}
        assert groups[0.25] == matrices != set()


@pytest.mark.parametrize("clip_norm", [None, 0.01])
def test_gradients_are_clipped(
    clip_norm: float | None, new_flow: NewFlow, images: Images, quick: Quick, tmp_path: Path
) -> None:
    watch = train(new_flow(), images, quick(max_steps=4, clip_norm=clip_norm), tmp_path)
    assert len(watch.norms) == 4
    if clip_norm is None:
        assert min(watch.norms) > 0.02
    else:
        assert watch.norms == pytest.approx([0.01] * 4, rel=1e-3)


def test_numbers_of_a_gradient_are_cut(
    new_flow: NewFlow, images: Images, quick: Quick, tmp_path: Path
) -> None:
    """Each to the value, then all to the norm."""
    cut = quick(max_steps=3, clip_norm=None, clip_value=1e-4)
    watch = train(new_flow(), images, cut, tmp_path / "cut")
    count = sum(p.numel() for p in new_flow().parameters())
    assert 0 < max(watch.norms) <= 1e-4 * count**0.5 * (1 + 1e-6)
    both = quick(max_steps=1, clip_norm=2e-4, clip_value=1e-4)
    assert watch.norms[0] > 2e-4  # so that both limits bite
    between = train(new_flow(), images, both, tmp_path / "both")
    assert between.norms == pytest.approx([2e-4], rel=1e-3)
    row = read_metrics(tmp_path / "both/metrics.csv")[1]
    assert row["train/grad_norm"] == pytest.approx(watch.norms[0], rel=1e-4)


def test_clipped_steps_are_counted(
    new_flow: NewFlow, images: Images, held_out: Images, quick: Quick, tmp_path: Path
) -> None:
    """Of all steps, those over the norm; the count goes on after a resume."""
    norms = train(new_flow(), images, quick(clip_norm=None), tmp_path / "free").norms
    limit = sorted(norms)[10]

    def run(steps: int, limit: float, *, resume: bool = False) -> tuple[int, dict[str, float]]:
        config = quick(max_steps=steps, clip_norm=limit, patience=None)
        out = tmp_path / f"{limit}"
        fitted = fit(new_flow(), images, held_out, config=config, out=out, resume=resume)
        return fitted.clipped, read_metrics(out / "metrics.csv")[steps]

    clipped, row = run(20, limit)
    assert 1 < clipped < 20
    assert row["train/clipped"] == clipped
    assert row["train/grad_norm"] > 0
    assert run(20, 1e-6)[0] == 20
    assert run(10, 1e-7)[0] == 10
    again, row = run(20, 1e-7, resume=True)
    assert (again, row["train/clipped"]) == (20, 20)
    assert run(10, 1e9)[0] == 0


def test_the_norm_is_of_before_clipping(
    new_flow: NewFlow, images: Images, quick: Quick, tmp_path: Path
) -> None:
    free = train(new_flow(), images, quick(max_steps=10, clip_norm=None), tmp_path / "free")
    train(new_flow(), images, quick(max_steps=10, clip_norm=1e9), tmp_path / "loose")
    for name in ("free", "loose"):
        row = read_metrics(tmp_path / name / "metrics.csv")[10]
        assert row["train/grad_norm"] == pytest.approx(free.norms[-1], rel=1e-5)
        assert ("train/clipped" in row) == (name == "loose")


def test_averaged_weights_by_hand(
    new_flow: NewFlow, images: Images, quick: Quick, tmp_path: Path
) -> None:
    """The first step's weights, then shares 2/11, 3/12, ... of the old average, at most 0.3."""
    config = quick(max_steps=6, learning_rate=0.05, ema_decay=0.3)
    watch = train(new_flow(), images, config, tmp_path)
    average = dict(watch.weights[0])
    for n, weights in enumerate(watch.weights[1:], start=1):
        kept = min(0.3, (1 + n) / (10 + n))
        average = {k: kept * v + (1 - kept) * weights[k] for k, v in average.items()}
    for name in ("best", "last"):
        checkpoint = torch.load(tmp_path / f"checkpoints/{name}.ckpt", weights_only=True)
        for key, value in average.items():
            torch.testing.assert_close(checkpoint["state_dict"][key], value, rtol=0, atol=1e-6)
            current = checkpoint["current_model_state"][key]
            assert torch.equal(current, watch.weights[-1][key])
        key = "flow.transform.scales.levels.0.step0.actnorm.affine.bias"
        assert (
            checkpoint["state_dict"][key] - checkpoint["current_model_state"][key]
        ).norm() > 0.01


def test_without_averaging_the_weights_themselves_are_kept(
    new_flow: NewFlow, images: Images, quick: Quick, tmp_path: Path
) -> None:
    watch = train(new_flow(), images, quick(max_steps=3, ema_decay=None), tmp_path)
    checkpoint = torch.load(tmp_path / "checkpoints/best.ckpt", weights_only=True)
    for key, value in watch.weights[-1].items():
        assert torch.equal(checkpoint["state_dict"][key], value)
