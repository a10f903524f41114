"""Train a flow on images, with everything a run should leave behind."""

from __future__ import annotations

import dataclasses
import math
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch.utils.data import DataLoader

from lambent.core.device import pick_device
from lambent.core.flow import Flow
from lambent.core.initialize import initialize
from lambent.data import Images, ShuffledBatches, hold_out, shuffled
from lambent.nn.precision import conditioner_dtype
from lambent.store import RunFolder, save
from lambent.train.config import TrainConfig
from lambent.train.curve import draw_curve
from lambent.train.module import Training
from lambent.train.objectives import label_context, objective_for
from lambent.train.order import TrainingOrder
from lambent.train.trainer import quiet, trainer_for

MAY_DIFFER = ("max_steps", "max_minutes", "validate_every", "optimizer_in_backward")
"""Settings of training that a resumed run need not share: they do not touch a step."""

VALIDATED_PIXELS = 2**20
"""Pixels, each channel counted, that a batch of a validation may have if more than the step's."""


@dataclasses.dataclass(frozen=True)
class Fitted:
    """What :func:`fit` reached."""

    bits_per_dim: float
    """Best validation bits per dimension; the flow has the weights that gave it."""
    steps: int
    """Steps taken in all."""
    seconds: float
    """Seconds of this call."""
    clipped: int
    """Steps in all whose gradients were scaled down to ``clip_norm``."""
    precision: str
    """What the networks computed in, in training: ``float32`` or ``bfloat16``."""


def fit(
    flow: Flow,
    train: Images,
    validation: Images | None = None,
    *,
    config: TrainConfig | None = None,
    out: str | Path | None = None,
    seed: int = 0,
    device: str = "auto",
    workers: int = 0,
    resume: bool = False,
    data_settings: Mapping[str, Any] | None = None,
) -> Fitted:
    """Train a flow by maximum likelihood, in place; it ends with the best weights, in eval mode.

    The averaged weights are validated every ``config.validate_every`` steps and the best are kept.
    An interruption leaves the run folder usable, and is raised again.

    Args:
        flow: The flow.
        train: Images to learn from.
        validation: Images to stop by; a tenth of ``train``, chosen by ``seed``, if not given.
        config: Settings.
        out: Run folder; without it nothing is left on disk.
        seed: Of the order of the images, the noise and the pictures.
        device: ``auto``, ``cpu``, ``cuda`` or ``mps``.
        workers: Processes that load data, beside this one.
        resume: Go on from the last checkpoint in ``out``.
        data_settings: Recorded in ``config.yaml``: how ``train`` was chosen.

    Returns:
        What was reached.

    Raises:
        ValueError: If an argument is out of range or does not fit the others.
        FloatingPointError: If a loss, a gradient or a weight is not finite; the message names step
            and layer, and the last checkpoint is of before.
    """
    config = config or TrainConfig()
    chosen = pick_device(device)
    conditioner_dtype(chosen, config.precision)
    start = time.monotonic()
    if validation is None:
        train, validation = hold_out(train, 0.1, seed)
    _check(flow, train, validation)
    if seed < 0 or workers < 0:
        raise ValueError(f"seed, workers: expected numbers from 0, got {seed}, {workers}")
    objective = objective_for(flow, train.classes, config.class_weight)
    if config.validation_images is not None:
        some = shuffled(len(validation), seed)[: config.validation_images].sort()[0]
        validation = validation.subset(some)
    with tempfile.TemporaryDirectory() as scratch:
        run = RunFolder(scratch if out is None else out)
        settings = _settings(flow, config, seed, data_settings or {"name": train.name})
        if resume:
            _check_resumes(run, settings)
        else:
            run.check_new()
        run.write_config(settings)
        torch.manual_seed(seed)
        home = next(flow.parameters()).device
        flow.to(chosen).train()
        if not resume:
            _initialize(flow, train, config, seed)
        module = Training(flow, objective, config)
        taken = _steps_taken(run) if resume else 0
        order = TrainingOrder(len(train), config.batch_size, seed, taken)
        try:
            with quiet():
                trainer = trainer_for(run, config, chosen, _grid_labels(flow, train), seed)
                trainer.fit(
                    module,
                    _loader(train, order, workers),
                    _loader(validation, _in_order(validation, config.batch_size), 0),
                    ckpt_path=str(run.last) if resume else None,
                    weights_only=True,
                )
        except SystemExit as stop:  # how Lightning ends a run on Ctrl-C
            raise KeyboardInterrupt from stop
        finally:
            best = _keep_best(flow, run)
            flow.to(home)
        seconds = time.monotonic() - start
        return Fitted(best, trainer.global_step, seconds, module.clipped, module.precision)


def _check(flow: Flow, train: Images, validation: Images) -> None:
    """Raise unless both sets are of the flow's events, with labels where it needs them."""
    for name, images in (("train", train), ("validation", validation)):
        if tuple(images.shape) != tuple(flow.event_shape):
            raise ValueError(
                f"{name}: expected images of shape {tuple(flow.event_shape)}, got {images.shape}"
            )
        if flow.context_encoder is not None and images.labels is None:
            raise ValueError(f"{name}: the flow is conditional; expected labelled images")


def _settings(
    flow: Flow, config: TrainConfig, seed: int, data_settings: Mapping[str, Any]
) -> dict[str, Any]:
    """What ``config.yaml`` records, as it reads back."""
    family, model = flow.recipe or ("by hand", None)
    fields = {} if model is None else dataclasses.asdict(model)  # type: ignore[call-overload]
    return {
        "model": {"family": family, **_with_lists(fields)},
        "train": dataclasses.asdict(config),
        "data": _with_lists(data_settings),
        "seed": seed,
    }


def _with_lists(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The same, tuples as the lists that YAML has for them."""
    return {k: list(v) if isinstance(v, tuple) else v for k, v in fields.items()}


def _check_resumes(run: RunFolder, settings: dict[str, Any]) -> None:
    """Raise unless a run is there to go on with, of the same settings but for ``MAY_DIFFER``."""
    if not run.last.is_file():
        raise ValueError(f"resume: expected a run with {run.last}, found none")
    recorded = run.read_config()
    for part in ("model", "data", "seed"):
        if recorded.get(part) != settings[part]:
            raise ValueError(
                f"resume: expected the run's own {part} settings {recorded.get(part)}, "
                f"got {settings[part]}"
            )
    own = {**dataclasses.asdict(TrainConfig()), **(recorded.get("train") or {})}
    for name, value in settings["train"].items():
        if name not in MAY_DIFFER and own.get(name) != value:
            raise ValueError(f"resume: expected the run's own {name} {own.get(name)}, got {value}")


def _steps_taken(run: RunFolder) -> int:
    """The step of the last checkpoint."""
    return int(torch.load(run.last, map_location="cpu", weights_only=True)["global_step"])


def _initialize(flow: Flow, train: Images, config: TrainConfig, seed: int) -> None:
    """Set the data-initialised layers from the first images of a shuffle."""
    first = next(iter(ShuffledBatches(len(train), config.initialization_batch, seed)))
    x, y = train[first]
    device = next(flow.parameters()).device
    initialize(flow, x.to(device), label_context(flow, None if y is None else y.to(device)))


def _loader(images: Images, batches: Any, workers: int) -> DataLoader[Any]:
    """A loader that looks whole batches up, and leaves torch's global generator alone."""
    return DataLoader(
        images,
        sampler=batches,
        batch_size=None,
        collate_fn=tuple,
        num_workers=workers,
        persistent_workers=workers > 0,
        generator=torch.Generator(),
    )


def _in_order(images: Images, batch_size: int) -> list[torch.Tensor]:
    """The indices of validation batches: 256 images, or fewer where they are large."""
    room = VALIDATED_PIXELS // math.prod(images.shape)
    return list(torch.arange(len(images)).split(max(batch_size, min(256, room))))


def _grid_labels(flow: Flow, train: Images) -> torch.Tensor | None:
    """Labels of an 8 x 8 sample grid: a row goes through eight classes, the next goes on."""
    if flow.context_encoder is None or train.classes is None:
        return None
    return torch.arange(64) % train.classes


def _keep_best(flow: Flow, run: RunFolder) -> float:
    """Give the flow the best weights there are, write the model and the curve; its bits/dim."""
    flow.cpu().eval()
    bits = float("nan")
    if run.best.is_file():
        checkpoint = torch.load(run.best, map_location="cpu", weights_only=True)
        weights = checkpoint["state_dict"]
        flow.load_state_dict(
            {k.removeprefix("flow."): v for k, v in weights.items() if k.startswith("flow.")}
        )
        bits = min(float(c["best_model_score"]) for c in _scores(checkpoint))
    if flow.recipe is not None:
        save(flow, run.model)
    if run.metrics.is_file():
        draw_curve(run.metrics, run.curve)
    return bits


def _scores(checkpoint: dict[str, Any]) -> list[dict[str, Any]]:
    """The states of the callback that keeps the best checkpoint."""
    states = checkpoint["callbacks"].values()
    return [s for s in states if s.get("best_model_score") is not None]
