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
from lightning.pytorch.loggers import TensorBoardLogger
from torch import Tensor

from lambent.store import RunFolder
from lambent.train.averaging import AveragedWeights
from lambent.train.callbacks import FinalValidation, ProgressLine, SampleGrid
from lambent.train.checkpoints import BestCheckpoint, LastCheckpoint
from lambent.train.config import TrainConfig
from lambent.train.drift import DriftCheck
from lambent.train.metrics import MetricsFile

MONITOR = "validation/bits_per_dim"
"""What the best checkpoint and early stopping go by."""


def trainer_for(
    run: RunFolder,
    config: TrainConfig,
    device: torch.device,
    grid_labels: Tensor | None,
    seed: int,
) -> pl.Trainer:
    """A trainer that validates by steps, keeps the best and the last, and logs into the run folder.

    Args:
        run: Where to.
        config: Settings.
        device: Where the flow runs.
        grid_labels: Labels of the sample grids of a conditional flow.
        seed: Of the sample grids.

    Returns:
        The trainer.
    """
    callbacks: list[Callback] = [
        FinalValidation(),
        SampleGrid(run, labels=grid_labels, temperature=config.temperature, seed=seed),
    ]
    if config.ema_decay is not None:
        callbacks.append(AveragedWeights(config.ema_decay, device))
    callbacks.append(DriftCheck(config.batch_size))
    if config.patience is not None:
        callbacks.append(EarlyStopping(MONITOR, patience=config.patience, min_delta=0.0))
    callbacks += [
        ProgressLine(config.max_steps, config.max_minutes, config.batch_size),
        BestCheckpoint(run, MONITOR),
        LastCheckpoint(run),
    ]
    limit = config.max_minutes
    return pl.Trainer(
        accelerator={"cuda": "gpu"}.get(device.type, device.type),
        devices=1,
        max_steps=config.max_steps,
        max_time=None if limit is None else timedelta(minutes=limit),
        gradient_clip_val=config.clip_norm,
        val_check_interval=config.validate_every,
        check_val_every_n_epoch=None,
        num_sanity_val_steps=0,
        log_every_n_steps=10,
        logger=[
            MetricsFile(run.metrics),
            TensorBoardLogger(str(run.path), name="", version="tensorboard"),
        ],
        callbacks=callbacks,
        enable_progress_bar=False,
        enable_model_summary=False,
        use_distributed_sampler=False,
    )


@contextmanager
def quiet() -> Iterator[None]:
    """Keep Lightning's notes and its advice on data loaders from the terminal."""
    logger = logging.getLogger("lightning.pytorch")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", module="lightning")
            yield
    finally:
        logger.setLevel(level)
