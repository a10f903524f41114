"""The Lightning trainer of a run."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import lightning.pytorch as pl
import torch
from lightning.pytorch.callbacks import Callback, EarlyStopping

from lambent.store import RunFolder
from lambent.train.annealing import Annealing
from lambent.train.averaging import AveragedWeights
from lambent.train.callbacks import FinalValidation, SampleGrid
from lambent.train.checkpoints import BestCheckpoint, LastCheckpoint, WholeFiles
from lambent.train.config import TrainConfig
from lambent.train.drift import DriftCheck
from lambent.train.loggers import loggers_for
from lambent.train.processes import ALONE, Processes
from lambent.train.progress import ProgressLine
from lambent.train.start import Start
from lambent.train.statistics import Statistics
from lambent.train.stopping import StopBetweenSteps
from lambent.types import Context

MONITOR = "validation/bits_per_dim"
"""What the best checkpoint and early stopping go by."""


def trainer_for(
    run: RunFolder,
    config: TrainConfig,
    device: torch.device,
    grid_context: Context | None,
    seed: int,
    *,
    start: Start | None = None,
    stop: StopBetweenSteps | None = None,
    together: Processes = ALONE,
) -> pl.Trainer:
    """A trainer that validates by steps, keeps the best and the last, and logs into the run folder.

    Args:
        run: Where to.
        config: Settings.
        device: Where the flow runs.
        grid_context: What the sample grids of a conditional flow are drawn for.
        seed: Of the sample grids.
        start: Sets the weights; nothing does without it.
        stop: Ends the run on a signal.
        together: The processes that train.

    Returns:
        The trainer.
    """
    callbacks: list[Callback] = [
        start or Start(None, seed),
        FinalValidation(),
        SampleGrid(run, context=grid_context, temperature=config.temperature, seed=seed),
    ]
    if config.anneal_steps:
        callbacks.append(Annealing(config.anneal_steps))
    if config.averages:
        decay = config.ema_decay if config.averaging == "ema" else None
        callbacks.append(AveragedWeights(decay, config.average_after))
    callbacks += [DriftCheck(config.batch_size), Statistics(config.validate_every)]
    if config.patience is not None:
        callbacks.append(EarlyStopping(MONITOR, patience=config.patience, min_delta=0.0))
    callbacks += [
        ProgressLine(config.max_steps, config.max_minutes, config.batch_size),
        stop or StopBetweenSteps(),
        BestCheckpoint(run, MONITOR),
        LastCheckpoint(run),
    ]
    limit = config.max_minutes
    return pl.Trainer(
        accelerator={"cuda": "gpu"}.get(device.type, device.type),
        devices=together.size // together.nodes,
        num_nodes=together.nodes,
        strategy="auto" if together.environment is None else "ddp",
        plugins=[WholeFiles(), *filter(None, [together.environment])],
        deterministic=config.deterministic,
        accumulate_grad_batches=config.accumulate,
        max_steps=config.max_steps,
        max_time=None if limit is None else timedelta(minutes=limit),
        gradient_clip_val=config.clip_norm,
        val_check_interval=config.validate_every * config.accumulate,
        check_val_every_n_epoch=None,
        num_sanity_val_steps=0,
        log_every_n_steps=10,
        logger=loggers_for(run, config.loggers, first=together.first),
        callbacks=callbacks,
        enable_progress_bar=False,
        enable_model_summary=False,
        use_distributed_sampler=False,
    )


@contextmanager
def quiet() -> Iterator[None]:
    """Keep Lightning's notes and its advice on data loaders from the terminal."""
    loggers = [logging.getLogger(f"lightning.{part}") for part in ("pytorch", "fabric")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", module="lightning")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
