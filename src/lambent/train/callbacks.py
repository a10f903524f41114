"""What happens beside the steps: a last validation, pictures, the progress bar."""

from __future__ import annotations

import sys
import time
from typing import Any

import lightning.pytorch as pl
from lightning.pytorch.callbacks import Callback
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from torch import Tensor

from lambent.core.flow import Flow
from lambent.core.seed import seeded
from lambent.data import grid, write_picture
from lambent.errors import DomainError
from lambent.store import RunFolder


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
        labels: One label for each sample of a conditional flow.
        temperature: Scale of the latents.
        count: How many samples.
        seed: Of the latents.
    """

    def __init__(
        self,
        run: RunFolder,
        *,
        labels: Tensor | None,
        temperature: float,
        count: int = 64,
        seed: int = 0,
    ) -> None:
        self.run = run
        self.labels = labels
        self.temperature = temperature
        self.count = count
        self.seed = seed

    def on_validation_epoch_end(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        """Draw with the weights that were validated."""
        flow = module.flow
        assert isinstance(flow, Flow)
        labels = None if self.labels is None else self.labels.to(module.device)
        try:
            with seeded(self.seed):
                n = self.count if labels is None else 1
                images = flow.sample(n, labels, temperature=self.temperature)
        except DomainError as error:
            warn_line(f"step {trainer.global_step}: no grid of samples was written: {error}")
            return
        path = self.run.samples / f"step-{trainer.global_step:07d}.png"
        write_picture(path, grid(images.cpu()))


class ProgressLine(Callback):
    """One line on standard error for the whole run: bits/dim, images a second, time left.

    Where standard error is not a terminal, one plain line after every validation.

    Args:
        steps: Steps at most.
        minutes: Minutes at most.
        batch_size: Images in a step.
    """

    def __init__(self, steps: int, minutes: float | None, batch_size: int) -> None:
        self.steps = steps
        self.seconds = None if minutes is None else 60 * minutes
        self.batch_size = batch_size
        self.console = Console(file=sys.stderr)
        self.progress: Progress | None = None
        self.start = 0.0
        self.first_step = 0
        self.best = float("inf")
        self.spent = 0.0

    def state_dict(self) -> dict[str, Any]:
        """What a resumed run goes on counting from."""
        return {"best": self.best, "spent": self.spent + time.monotonic() - self.start}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on counting."""
        self.best, self.spent = state_dict["best"], state_dict["spent"]

    def on_train_start(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        """Show the bar."""
        self.start, self.first_step = time.monotonic(), trainer.global_step
        if self.console.is_terminal:
            self.progress = Progress(
                TextColumn("step {task.fields[step]}"),
                BarColumn(),
                TextColumn("{task.fields[figures]}"),
                TimeElapsedColumn(),
                TimeRemainingColumn(),
                console=self.console,
            )
            self.progress.add_task("train", total=1.0, step=trainer.global_step, figures="")
            self.progress.start()

    def on_train_batch_end(
        self,
        trainer: pl.Trainer,
        module: pl.LightningModule,
        outputs: Any,
        batch: Any,
        index: int,
    ) -> None:
        """Move the bar on."""
        if self.progress is not None and trainer.global_step % 5 == 0:
            self.progress.update(
                self.progress.task_ids[0],
                completed=self._done(trainer.global_step),
                step=trainer.global_step,
                figures=self._figures(trainer),
            )

    def on_validation_end(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        """Note the best, and print a line where there is no bar."""
        bits = float(trainer.callback_metrics.get("validation/bits_per_dim", float("inf")))
        self.best = min(self.best, bits)
        if self.progress is None:
            line = f"step {trainer.global_step}: {self._figures(trainer)}, validation {bits:.4f}"
            self.console.print(line, highlight=False, soft_wrap=True)

    def on_train_end(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        """Take the bar away."""
        self._stop()

    def on_exception(
        self, trainer: pl.Trainer, module: pl.LightningModule, exception: BaseException
    ) -> None:
        """Take the bar away."""
        self._stop()

    def _stop(self) -> None:
        if self.progress is not None:
            self.progress.stop()
            self.progress = None

    def _done(self, step: int) -> float:
        """Share of the run that is over, by steps or by time, whichever is further."""
        spent = self.spent + time.monotonic() - self.start
        by_time = 0.0 if self.seconds is None else spent / self.seconds
        return min(1.0, max(step / self.steps, by_time))

    def _figures(self, trainer: pl.Trainer) -> str:
        bits = float(trainer.callback_metrics.get("train/bits_per_dim", float("nan")))
        taken = trainer.global_step - self.first_step
        rate = taken * self.batch_size / max(1e-9, time.monotonic() - self.start)
        best = "" if self.best == float("inf") else f", best {self.best:.3f}"
        return f"{bits:.3f} bits/dim{best}, {rate:.0f} images/s"
