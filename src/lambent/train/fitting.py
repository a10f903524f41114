"""Train a flow on images, with everything a run should leave behind."""

from __future__ import annotations

import contextlib
import dataclasses
import errno
import math
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch

from lambent.core.context import check_task, context_of, needs_labels, reads_images
from lambent.core.device import pick_device
from lambent.core.flow import Flow
from lambent.core.seed import seeded
from lambent.core.units import Units
from lambent.data import EventSet, hold_out, shuffled
from lambent.nn.precision import conditioner_dtype
from lambent.store import RunFolder
from lambent.train.annealing import check_anneals
from lambent.train.batches import (
    first_batch,
    labels_of_batches,
    training_batches,
    validation_batches,
    windows_of,
)
from lambent.train.best import keep_best
from lambent.train.config import TrainConfig
from lambent.train.loggers import check_loggers
from lambent.train.module import Training
from lambent.train.objectives import objective_for
from lambent.train.processes import processes
from lambent.train.resume import check_resumes, settings_of, steps_taken
from lambent.train.start import Start
from lambent.train.stopping import StopBetweenSteps
from lambent.train.trainer import quiet, trainer_for
from lambent.types import Context


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
    train: EventSet,
    validation: EventSet | None = None,
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
    An interruption leaves the run folder usable, and is raised again; what fails before there is a
    checkpoint leaves no folder that was made for it.

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
    check_loggers(config.loggers)
    together = processes()
    start = time.monotonic()
    if validation is None:
        train, validation = hold_out(train, 0.1, seed)
    _check(flow, config, train, validation)
    check_anneals(flow, config.anneal_steps)
    labels_of_batches(train, config)
    if seed < 0 or workers < 0:
        raise ValueError(f"seed, workers: expected numbers from 0, got {seed}, {workers}")
    if together.size > 1 and (out is None or config.optimizer_in_backward):
        raise ValueError(
            f"devices: expected a run folder and no optimizer_in_backward with {together.size} "
            f"processes, got out {out}, optimizer_in_backward {config.optimizer_in_backward}"
        )
    objective = objective_for(flow, train.classes, config.class_weight)
    if config.validation_images is not None:
        some = shuffled(len(validation), seed)[: config.validation_images].sort()[0]
        validation = validation.subset(some)
    settings = settings_of(flow, config, seed, data_settings or {"name": train.name})
    with contextlib.ExitStack() as stack:
        run = RunFolder(stack.enter_context(tempfile.TemporaryDirectory()) if out is None else out)
        if together.first:
            if resume:
                check_resumes(run, settings)
            else:
                run.check_new()
            stack.enter_context(run.held())
            run.write_config(settings)
        stack.enter_context(_as_before())
        taken = steps_taken(run) if resume else 0
        shape = flow.event_shape
        torch.manual_seed(seed)
        home = next(flow.parameters()).device
        flow.to(chosen).train()
        first = first_batch(train, shape, config, seed) if not taken else None
        module, stop = Training(flow, objective, config), StopBetweenSteps()
        try:
            with quiet(), _said_where_full(run):
                grid = _grid_context(flow, train, validation, config, seed)
                begin = Start(first, seed)
                trainer = trainer_for(
                    run, config, chosen, grid, seed, start=begin, stop=stop, together=together
                )
                trainer.fit(
                    module,
                    training_batches(
                        train, shape, config, seed, taken=taken, workers=workers, together=together
                    ),
                    validation_batches(validation, shape, config, together),
                    ckpt_path=str(run.last) if taken else None,
                    weights_only=True,
                )
        except BaseException as error:
            with contextlib.suppress(OSError, ValueError):  # a disk that is full is so still
                keep_best(flow, run, write=together.first)
            if isinstance(error, SystemExit):  # how Lightning ends a run on Ctrl-C
                asked = error.__context__
                raise KeyboardInterrupt(*getattr(asked, "args", ())) from error
            raise
        else:
            with _said_where_full(run):
                best = keep_best(flow, run, write=together.first)
            if math.isnan(best):
                raise FileNotFoundError(
                    f"out: '{run.best}' is gone; '{run.model}' has the weights of the last step"
                )
            if stop.signal is not None:  # it came when there was no step left to stop before
                raise KeyboardInterrupt(stop.signal)
        finally:
            flow.to(home)
        seconds = time.monotonic() - start
        return Fitted(best, trainer.global_step, seconds, module.clipped, module.precision)


@contextlib.contextmanager
def _as_before() -> Iterator[None]:
    """Put back what Lightning sets for the whole process where a run is deterministic."""
    before = torch.are_deterministic_algorithms_enabled()
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(before)


@contextlib.contextmanager
def _said_where_full(run: RunFolder) -> Iterator[None]:
    """Say what is left of a run that finds no room to write in."""
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise
        kept = (
            f"; '{run.last}' is whole, and --resume goes on from it" if run.last.is_file() else ""
        )
        raise OSError(f"out: no room to write in '{run.path}': {error.strerror}{kept}") from error


def _check(flow: Flow, config: TrainConfig, train: EventSet, validation: EventSet) -> None:
    """Raise unless both sets are of the flow's events, with labels where it needs them."""
    shape = tuple(flow.event_shape)
    for name, images in (("train", train), ("validation", validation)):
        given = tuple(images.shape)
        larger = given[0] == shape[0] and all(a >= b for a, b in zip(given, shape, strict=True))
        if given != shape and not (config.random_crop and larger):
            of_at_least = " or larger" if config.random_crop else ""
            raise ValueError(
                f"{name}: expected {Units(shape).events} of shape {shape}{of_at_least}, got {given}"
            )
        if needs_labels(flow) and images.labels is None:
            raise ValueError(
                f"{name}: the flow is conditional; expected labelled {Units(shape).events}"
            )
    check_task(flow)


def _grid_context(
    flow: Flow, train: EventSet, validation: EventSet, config: TrainConfig, seed: int
) -> Context | None:
    """Contexts of an 8 x 8 sample grid: a row goes through eight classes, the next goes on.

    Where the flow is conditional on images, each row is of one validation image.
    """
    if reads_images(flow):
        rows = torch.arange(64) // 8 % len(validation)
        if config.random_crop:
            windows = windows_of(validation, flow.event_shape)
            x, y = windows[windows.centres(rows)]
        else:
            x, y = validation[rows]
        with seeded(seed):
            return context_of(flow, x, y)
    if flow.context_encoder is None or train.classes is None:
        return None
    return torch.arange(64) % train.classes
