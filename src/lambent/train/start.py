"""How a run starts: the first process sets the weights from data, the others take them over."""

from __future__ import annotations

from collections.abc import Callable

import lightning.pytorch as pl
import numpy as np
import torch
from lightning.pytorch.callbacks import Callback
from torch import Tensor

from lambent.core.context import context_of
from lambent.core.initialize import initialize
from lambent.train.processes import from_first


class Start(Callback):
    """Initialises the flow before it is wrapped or averaged, and gives each process its own noise.

    Args:
        batch: Looks up the images that set the data-initialised layers and their labels; nothing is
            set without it, as where a run is resumed.
        seed: Of the noise.
    """

    def __init__(self, batch: Callable[[], tuple[Tensor, Tensor | None]] | None, seed: int) -> None:
        self.batch = batch
        self.seed = seed

    def setup(self, trainer: pl.Trainer, module: pl.LightningModule, stage: str) -> None:
        """Set the weights once, on the device where they are to be trained."""
        device = trainer.strategy.root_device
        module.to(device)
        if self.batch is None:
            return
        if trainer.is_global_zero:
            x, y = self.batch()
            y = None if y is None else y.to(device)
            flow = module.flow
            x = x.to(device)
            initialize(flow, x, context_of(flow, x, y))  # type: ignore[arg-type]
        else:
            key = np.random.SeedSequence((self.seed, trainer.global_rank))
            torch.manual_seed(int(key.generate_state(1)[0]))
        from_first([*module.parameters(), *module.buffers()], device)
