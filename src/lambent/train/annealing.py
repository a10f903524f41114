"""Noise in place of the data, less and less of it over the first steps."""

from __future__ import annotations

from typing import Any

import lightning.pytorch as pl
from lightning.pytorch.callbacks import Callback

from lambent.core.flow import Flow
from lambent.transforms import Anneal, anneal


class Annealing(Callback):
    """Sets the share of the data before each step: step i of n has i / n.

    Args:
        steps: ``n``.
    """

    def __init__(self, steps: int) -> None:
        self.steps = steps

    def on_train_batch_start(
        self, trainer: pl.Trainer, module: pl.LightningModule, batch: Any, index: int
    ) -> None:
        """Set it by the steps taken, which a resumed run goes on counting."""
        anneal(module, min(1.0, trainer.global_step / self.steps))

    def on_train_end(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        """Leave the flow as it was."""
        anneal(module, 1.0)


def check_anneals(flow: Flow, steps: int) -> None:
    """Raise if noise is asked for of a flow that has no layer for it.

    Args:
        flow: The flow.
        steps: Of the annealing.

    Raises:
        ValueError: If so.
    """
    if steps and not any(isinstance(m, Anneal) for m in flow.transform.modules()):
        raise ValueError(
            f"anneal_steps: expected 0 for a flow without a layer that anneals, as joint has, "
            f"got {steps}"
        )
