"""What a run shows while it goes on."""

from __future__ import annotations

import math
import sys
import time
from datetime import timedelta
from typing import Any

import lightning.pytorch as pl
from lightning.pytorch.callbacks import Callback
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from lambent.core.units import Units, units_of

LINE_EVERY = 60.0
"""Seconds after which a line is printed where there is no bar."""


class ProgressLine(Callback):
    """One line on standard error for the whole run: likelihood, events a second, time left.

    Where standard error is not a terminal, as in a notebook or a log file, a plain line after every
    validation and at least every minute. Of several processes the first one shows it.

    Args:
        steps: Steps at most.
        minutes: Minutes at most.
        batch_size: Events in a step.
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
        self.printed = 0.0

    def state_dict(self) -> dict[str, Any]:
        """What a resumed run goes on counting from."""
        return {"best": self.best, "spent": self.spent + self._here()}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on counting."""
        self.best, self.spent = state_dict["best"], state_dict["spent"]

    def on_train_start(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        """Show the bar."""
        self.start, self.first_step = time.monotonic(), trainer.global_step
        self.printed = self.start
        if self.console.is_terminal and trainer.is_global_zero:
            self.progress = Progress(
                TextColumn("step {task.fields[step]}"),
                BarColumn(),
                TextColumn("{task.fields[figures]}"),
                TimeElapsedColumn(),
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
        """Move the bar on, or print a line now and then."""
        if self.progress is None:
            if time.monotonic() - self.printed > LINE_EVERY:
                self._print(trainer, "")
        elif trainer.global_step % 5 == 0:
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
            self._print(trainer, f", validation {_units(trainer).factor * bits:.4f}")

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

    def _print(self, trainer: pl.Trainer, more: str) -> None:
        self.printed = time.monotonic()
        if trainer.is_global_zero:
            line = f"step {trainer.global_step}: {self._figures(trainer)}{more}"
            self.console.print(line, highlight=False, soft_wrap=True)

    def _done(self, step: int) -> float:
        """Share of the run that is over, by steps or by time, whichever is further."""
        by_time = 0.0 if self.seconds is None else (self.spent + self._here()) / self.seconds
        return min(1.0, max(step / self.steps, by_time))

    def _here(self) -> float:
        """Seconds since this part of the run began; never 0."""
        return max(1e-9, time.monotonic() - self.start)

    def _left(self, step: int) -> str:
        """Time left at the pace of this part of the run, by steps or by time, if any is known."""
        left = [] if self.seconds is None else [self.seconds - self.spent - self._here()]
        if step > self.first_step:
            left.append((self.steps - step) * self._here() / (step - self.first_step))
        seconds = max(0, math.ceil(min(left, default=0)))
        return f", {timedelta(seconds=seconds)} left" if left else ""

    def _figures(self, trainer: pl.Trainer) -> str:
        step = trainer.global_step
        bits = float(trainer.callback_metrics.get("train/bits_per_dim", float("nan")))
        rate = (step - self.first_step) * self.batch_size / self._here()
        units = _units(trainer)
        best = "" if self.best == float("inf") else f", best {units.factor * self.best:.3f}"
        figure = f"{units.factor * bits:.3f} {units.name}"
        return f"{figure}{best}, {rate:.0f} {units.events}/s{self._left(step)}"


def _units(trainer: pl.Trainer) -> Units:
    """Those of the events of the flow that is trained."""
    flow: Any = trainer.lightning_module.flow
    return units_of(flow)
