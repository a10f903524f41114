"""Averaged weights."""

from __future__ import annotations

import lightning.pytorch as pl
import torch
from lightning.pytorch.callbacks import WeightAveraging
from torch import Tensor


class AveragedWeights(WeightAveraging):
    """An exponential moving average of the weights, with a shorter memory in the first steps.

    The average starts as the weights after the first step; update ``n = 1, 2, ...`` of it keeps
    the share ``min(decay, (1 + n) / (10 + n))``. Validation sees the average in the flow's place.

    Args:
        decay: Share of the old average that an update keeps.
        device: Where the average lies.
    """

    def __init__(self, decay: float, device: torch.device) -> None:
        def update(averages: list[Tensor], currents: list[Tensor], count: Tensor | int) -> None:
            n = int(count)
            torch._foreach_lerp_(averages, currents, 1 - min(decay, (1 + n) / (10 + n)))

        super().__init__(device, use_buffers=False, multi_avg_fn=update)
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
