"""Averaged weights."""

from __future__ import annotations

import lightning.pytorch as pl
import torch
from lightning.pytorch.callbacks import WeightAveraging
from torch import Tensor

from lambent.train.averages import kept


class AveragedWeights(WeightAveraging):
    """An average of the weights of all steps; validation sees it in the flow's place.

    Before ``after`` steps the average is the weights themselves. Update ``n = 1, 2, ...`` after
    that keeps a share of the old average: ``n / (n + 1)`` for the plain mean of all iterates
    (Polyak), or ``min(decay, (1 + n) / (10 + n))``, an exponential moving average with a shorter
    memory in its first steps.

    Args:
        decay: Of the exponential moving average; the plain mean without it.
        after: Steps that are not averaged.

    References:
        B. Polyak and A. Juditsky, "Acceleration of stochastic approximation by averaging", SIAM
        Journal on Control and Optimization, 1992.
    """

    def __init__(self, decay: float | None, after: int) -> None:
        def update(averages: list[Tensor], currents: list[Tensor], count: Tensor | int) -> None:
            torch._foreach_lerp_(averages, currents, 1 - kept(decay, int(count) - after))

        super().__init__(use_buffers=False, multi_avg_fn=update)
        self.in_place = False

    def on_validation_epoch_start(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        """Put the average in the flow's place."""
        super().on_validation_epoch_start(trainer, module)
        self.in_place = True

    def on_validation_epoch_end(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        """Take it out again."""
        super().on_validation_epoch_end(trainer, module)
        self.in_place = False

    def on_exception(
        self, trainer: pl.Trainer, module: pl.LightningModule, exception: BaseException
    ) -> None:
        """Take it out where validation was interrupted, for the last checkpoint to be right."""
        if self.in_place:
            self.on_validation_epoch_end(trainer, module)
