"""What happens beside the steps: a last validation and pictures."""

from __future__ import annotations

from typing import Any

import lightning.pytorch as pl
from lightning.pytorch.callbacks import Callback
from rich.console import Console

from lambent.core.context import on_device
from lambent.core.flow import Flow
from lambent.core.seed import seeded
from lambent.data import grid, write_picture
from lambent.errors import DomainError
from lambent.store import RunFolder
from lambent.types import Context


def warn_line(message: str) -> None:
    """Print one line on standard error, above the progress bar if there is one."""
    Console(stderr=True).print(f"warning: {message}", highlight=False, soft_wrap=True, markup=False)


class FinalValidation(Callback):
    """Has the last step followed by a validation, as a time limit's is."""

    def on_train_batch_end(
        self,
        trainer: pl.Trainer,
        module: pl.LightningModule,
        outputs: Any,
        batch: Any,
        index: int,
    ) -> None:
        """Ask Lightning to stop, which validates, where it would only have stopped."""
        if trainer.global_step >= trainer.max_steps:
            trainer.should_stop = True


class SampleGrid(Callback):
    """Writes a grid of samples at fixed latents at every validation.

    It comes before the callback that takes the averaged weights out again.

    Args:
        run: Where to.
        context: One row for each sample of a conditional flow.
        temperature: Scale of the latents.
        count: How many samples.
        seed: Of the latents.
    """

    def __init__(
        self,
        run: RunFolder,
        *,
        context: Context | None,
        temperature: float,
        count: int = 64,
        seed: int = 0,
    ) -> None:
        self.run = run
        self.context = context
        self.temperature = temperature
        self.count = count
        self.seed = seed

    def on_validation_epoch_end(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        """Draw with the weights that were validated."""
        flow = module.flow
        assert isinstance(flow, Flow)
        if not trainer.is_global_zero or len(flow.event_shape) != 3:  # there is no picture of rows
            return
        context = on_device(self.context, module.device)
        try:
            with seeded(self.seed):
                n = self.count if context is None else 1
                images = flow.sample(n, context, temperature=self.temperature)
        except DomainError as error:
            warn_line(f"step {trainer.global_step}: no grid of samples was written: {error}")
            return
        path = self.run.samples / f"step-{trainer.global_step:07d}.png"
        write_picture(path, grid(images.cpu()))
