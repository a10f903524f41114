"""Ctrl-C and SIGTERM: the run ends between two steps, where it can be taken up again."""

from __future__ import annotations

import signal
import threading
from types import FrameType
from typing import Any

import lightning.pytorch as pl
from lightning.pytorch.callbacks import Callback

from lambent.train.processes import any_of

SIGNALS = (signal.SIGINT, signal.SIGTERM)
"""What asks a run to end."""


class AtOnce(KeyboardInterrupt):
    """A second Ctrl-C: the step that was running may have been torn."""


class StopBetweenSteps(Callback):
    """Raises KeyboardInterrupt before the step that follows a signal, in all processes at once.

    So an interrupted run is resumed to the same numbers: no half-taken step is written down, and a
    validation that has begun is finished. A second Ctrl-C to a process alone does not wait.
    """

    def __init__(self) -> None:
        self.signal: int | None = None
        """The signal that came, if one did."""
        self.alone = True
        self.before: dict[int, Any] = {}

    def on_train_start(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        """Take the signals over from here; Lightning gives them back when it is done."""
        self.alone = trainer.world_size == 1
        if threading.current_thread() is threading.main_thread():
            for number in SIGNALS:
                self.before[number] = signal.signal(number, self._asked)

    def on_train_batch_start(
        self, trainer: pl.Trainer, module: pl.LightningModule, batch: Any, index: int
    ) -> None:
        """Stop if asked to, before a step begins; Lightning has counted the last one by then."""
        begins = index % trainer.accumulate_grad_batches == 0
        if begins and any_of(self.signal is not None, module.device):
            self._stop()

    def on_train_end(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        """Give the signals back, before Lightning gives back those that it took over earlier.

        All processes note one that came after the last step: it ends what would follow the run.
        """
        self._give_back()
        if any_of(self.signal is not None, module.device) and self.signal is None:
            self.signal = signal.SIGINT

    def on_exception(
        self, trainer: pl.Trainer, module: pl.LightningModule, exception: BaseException
    ) -> None:
        """Give the signals back."""
        self._give_back()

    def _asked(self, number: int, frame: FrameType | None) -> None:
        again, self.signal = self.signal is not None, number
        if again and self.alone and number == signal.SIGINT:
            raise AtOnce(number)  # others may be in the middle of an exchange, and would wait

    def _stop(self) -> None:
        raise KeyboardInterrupt(signal.SIGINT if self.signal is None else self.signal)

    def _give_back(self) -> None:
        for number, handler in self.before.items():
            signal.signal(number, handler)
        self.before = {}
