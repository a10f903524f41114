"""The two checkpoints of a run: the best, and the one to go on from."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import torch
from lightning.fabric.plugins import TorchCheckpointIO
from lightning.pytorch.callbacks import Checkpoint, ModelCheckpoint

from lambent.files import replacing
from lambent.store import RunFolder
from lambent.train.stopping import AtOnce


class WholeFiles(TorchCheckpointIO):
    """Writes each checkpoint beside the file it replaces, and renames it once it is whole."""

    def save_checkpoint(
        self, checkpoint: dict[str, Any], path: str | Path, storage_options: object = None
    ) -> None:
        """Write; Lightning has the first process alone do it.

        Args:
            checkpoint: What to write.
            path: The file.
            storage_options: Not used.
        """
        with replacing(Path(path)) as temporary, temporary.open("wb") as file:
            torch.save(checkpoint, file)


class BestCheckpoint(ModelCheckpoint):
    """Writes ``best.ckpt`` whenever a validation is better than all before it.

    Args:
        run: Where to; a run that was moved since it was interrupted keeps its record.
        monitor: Name of the figure that should be small.
    """

    def __init__(self, run: RunFolder, monitor: str) -> None:
        super().__init__(
            run.checkpoints, filename="best", monitor=monitor, enable_version_counter=False
        )
        assert self.dirpath is not None  # as Lightning spells it, without links
        self.path = os.path.join(self.dirpath, run.best.name)  # noqa: PTH118 - and joins it

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take up the record, whatever the folder was called when it was written."""
        here: dict[str, Any] = {"dirpath": self.dirpath, "best_model_path": self.path}
        if state_dict["best_k_models"]:
            score = state_dict["best_model_score"]
            here |= {"best_k_models": {self.path: score}, "kth_best_model_path": self.path}
        super().load_state_dict({**state_dict, **here})


class LastCheckpoint(Checkpoint):
    """Writes ``last.ckpt``: after every validation, of which the last step has one, or an error.

    It comes after the callbacks whose state it holds.

    Args:
        run: Where to; the file is replaced whole.
    """

    def __init__(self, run: RunFolder) -> None:
        self.path = run.last

    def on_validation_end(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        """Write."""
        trainer.save_checkpoint(self.path)

    def on_exception(
        self, trainer: pl.Trainer, module: pl.LightningModule, exception: BaseException
    ) -> None:
        """Write, where a step was taken whole and every process is here to write with.

        Not where the weights may be what failed, or were caught between two steps, nor in a
        validation, which a resumed run would leave out; a disk that is full stays so, and its error
        is the one to report.
        """
        torn = any(getattr(optimizer, "torn", False) for optimizer in trainer.optimizers)
        together = trainer.world_size == 1 or isinstance(exception, KeyboardInterrupt)
        failed = torn or isinstance(exception, (FloatingPointError, AtOnce)) or trainer.validating
        if trainer.global_step > 0 and together and not failed:
            with contextlib.suppress(OSError):
                trainer.save_checkpoint(self.path)
