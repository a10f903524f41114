"""The one thin Lightning module."""

from __future__ import annotations

import math
from typing import Any

import lightning.pytorch as pl
import torch
from lightning.pytorch.utilities.types import OptimizerLRSchedulerConfig
from torch import Tensor, nn

from lambent.core.flow import Flow
from lambent.core.ledger import first_not_finite, trace
from lambent.core.seed import seeded
from lambent.evaluate.parts import bits_by_part
from lambent.train.config import TrainConfig
from lambent.train.objectives import Judgement, Objective, label_context

Batch = tuple[Tensor, Tensor | None]


class Training(pl.LightningModule):
    """A flow with its objective, optimiser and schedule.

    Figures are logged under the number of steps taken: Lightning reads it from ``step``, its own
    count being one off after a resume.

    Args:
        flow: The flow; it stays a plain module.
        objective: What to minimise.
        config: Settings.
    """

    def __init__(self, flow: Flow, objective: Objective, config: TrainConfig) -> None:
        super().__init__()
        self.flow = flow
        self.objective = objective
        self.config = config

    def training_step(self, batch: Batch, index: int) -> Tensor:
        """The loss of one batch.

        Args:
            batch: Images ``(b, *event_shape)`` and their labels ``(b,)``, if they have any.
            index: Its number in the epoch; not used.

        Returns:
            A scalar, in bits per dimension (and weighted bits of the class, where asked for).

        Raises:
            FloatingPointError: If it is not finite; the message names step and layer.
        """
        x, y = batch
        judgement: Judgement = self.objective(self.flow, x, y)
        loss, logs = judgement
        if not torch.isfinite(loss):
            self._raise_not_finite(x, y)
        named = {f"train/{k}": v for k, v in logs.items()}
        self.log_dict({**named, "step": self.global_step + 1.0}, batch_size=len(x))
        return loss

    def validation_step(self, batch: Batch, index: int) -> None:
        """Log the objective and the shares of the likelihood of one held-out batch."""
        x, y = batch
        with seeded(index):  # the same noise at every validation
            entries = trace(self.flow, x, label_context(self.flow, y))
        _, logs = self.objective.of_ledger(self.flow, entries, y)
        parts = bits_by_part(entries, math.prod(self.flow.event_shape))
        named = {f"validation/{k}": v for k, v in logs.items()}
        named |= {f"parts/{k}": torch.tensor(v) for k, v in parts.items()}
        self.log_dict({**named, "step": float(self.global_step)}, batch_size=len(x))

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Keep the states of the generators that draw the noise."""
        states = {"cpu": torch.get_rng_state()}
        if self.device.type == "cuda":
            states["cuda"] = torch.cuda.get_rng_state(self.device)
        checkpoint["generators"] = states

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Go on drawing where the checkpoint was written."""
        states = checkpoint["generators"]
        torch.set_rng_state(states["cpu"])
        if "cuda" in states and torch.cuda.is_available():
            torch.cuda.set_rng_state(states["cuda"])

    def configure_optimizers(self) -> OptimizerLRSchedulerConfig:
        """The optimiser, and its step size as a function of the step."""
        config = self.config
        decayed: list[nn.Parameter] = []
        plain: list[nn.Parameter] = []
        for name, parameter in self.named_parameters():
            (decayed if name.endswith("weight") else plain).append(parameter)
        groups = [
            {"params": decayed, "weight_decay": config.weight_decay},
            {"params": plain, "weight_decay": 0.0},
        ]
        settings: dict[str, Any] = {"lr": config.learning_rate, "betas": (0.9, config.beta2)}
        optimizer: torch.optim.Optimizer
        if config.optimizer == "adam":
            optimizer = torch.optim.AdamW(groups, **settings)
        else:
            optimizer = torch.optim.Adamax(groups, **settings)
        # A plain function, which LambdaLR keeps out of the checkpoints; a method's fields go in.
        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: self._rate(step))
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    def _rate(self, step: int) -> float:
        """The step size as a share of ``learning_rate``."""
        config = self.config
        warm = min(1.0, (step + 1) / (config.warmup_steps + 1))
        if config.schedule == "constant":
            return warm
        return warm * 0.5 * (1 + math.cos(math.pi * min(1.0, step / config.max_steps)))

    def _raise_not_finite(self, x: Tensor, y: Tensor | None) -> None:
        with torch.no_grad():
            path = first_not_finite(trace(self.flow, x, label_context(self.flow, y)))
        raise FloatingPointError(
            f"training step {self.global_step}: the loss is not finite; "
            f"first seen in {path or 'the objective'}. The checkpoints before it are kept."
        )
