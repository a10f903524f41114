"""The one thin Lightning module."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import lightning.pytorch as pl
import torch
from lightning.pytorch.utilities.types import OptimizerLRSchedulerConfig
from torch import Tensor, nn

from lambent.core.context import context_of
from lambent.core.flow import Flow
from lambent.core.ledger import first_not_finite, trace
from lambent.core.seed import seeded
from lambent.evaluate.parts import bits_by_part
from lambent.nn.precision import Precision, conditioner_dtype, conditioner_precision
from lambent.train.config import TrainConfig
from lambent.train.finite import KEPT, check_weights, gradient_error, gradient_norm, scale_gradients
from lambent.train.objectives import Judgement, Objective
from lambent.train.optimizers import optimizer_for, rate_of
from lambent.train.processes import any_of, of_all

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
        self.clipped = 0
        """Steps so far whose gradients were scaled down."""
        self.precision = config.precision
        """What the networks compute in; no longer ``auto`` once training has started."""
        self._square = 0.0  # of the norm of the gradients that the backward pass has freed
        self._sums: dict[str, Tensor] = {}  # of the figures of the parts of a step so far
        self._before_step: tuple[int, dict[str, Tensor]] | None = None

    def on_train_start(self) -> None:
        """Settle the precision, which a checkpoint may have done."""
        self.precision = settled(self.device, self.precision)

    def on_train_batch_start(self, batch: Batch, index: int) -> None:
        """Note the generators' states, for a step that is not taken to its end.

        Lightning validates and logs by counts of its own, which an interruption leaves one off:
        they follow the steps taken here, so that a resumed run does both where it would have.
        """
        if self._part(index) == 0:
            self._before_step = (self.global_step, self._generators())
        loop = self.trainer.fit_loop.epoch_loop
        taken = self.global_step * self.config.accumulate + self._part(index)
        loop.batch_progress.total.ready = taken + 1
        loop._batches_that_stepped = self.global_step

    def training_step(self, batch: Batch, index: int) -> Tensor:
        """The loss of one batch, or of a part of it.

        Args:
            batch: Images ``(b, *event_shape)`` and their labels ``(b,)``, if they have any.
            index: Its number in the epoch.

        Returns:
            A scalar, in bits per dimension (and weighted bits of the class, where asked for).

        Raises:
            FloatingPointError: If it is not finite; the message names step and layer.
        """
        x, y = batch
        self._square = 0.0
        judgement: Judgement = self.objective(self.flow, x, y, self.precision)
        loss, logs = judgement
        wrong = not torch.isfinite(loss)
        if any_of(wrong, self.device):
            self._raise_not_finite(x, y, here=wrong)
        part = self._part(index)
        self._sums = {k: v + self._sums[k] if part else v for k, v in logs.items()}
        named = {f"train/{k}": v / (part + 1) for k, v in self._sums.items()}
        self.log_dict({**named, "step": self.global_step + 1.0}, batch_size=len(x), sync_dist=True)
        return loss

    def configure_gradient_clipping(
        self,
        optimizer: torch.optim.Optimizer,
        gradient_clip_val: int | float | None = None,
        gradient_clip_algorithm: str | None = None,
    ) -> None:
        """Stop at a gradient that is not finite; cut large numbers, scale all where the norm is.

        Args:
            optimizer: Holds the parameters.
            gradient_clip_val: The largest norm there may be, if any.
            gradient_clip_algorithm: Not used.
        """
        parameters = [p for group in optimizer.param_groups for p in group["params"]]
        self._check_gradients(parameters)
        if self.config.clip_value is not None:
            nn.utils.clip_grad_value_(parameters, self.config.clip_value)
            self._square = gradient_norm(parameters) ** 2
        norm = math.sqrt(self._square)
        logs = {"train/grad_norm": norm}
        if gradient_clip_val is not None:
            if norm > gradient_clip_val:
                scale_gradients(parameters, gradient_clip_val / norm)
                self.clipped += 1
            logs["train/clipped"] = float(self.clipped)
        self.log_dict(logs)

    def validation_step(self, batch: Batch, index: int) -> None:
        """Log the objective and the shares of the likelihood of one held-out batch."""
        x, y = batch
        processes = self.trainer.world_size
        with seeded(index * processes + self.global_rank):  # the same noise at every validation
            context = context_of(self.flow, x, y)
            entries = trace(self.flow, x, context, states=self.objective.reads_states)
        _, logs = self.objective.of_ledger(self.flow, entries, y)
        parts = bits_by_part(entries, math.prod(self.flow.event_shape))
        named = {f"validation/{k}": v for k, v in logs.items()}
        named |= {f"parts/{k}": torch.tensor(v) for k, v in parts.items()}
        self.log_dict({**named, "step": float(self.global_step)}, batch_size=len(x), sync_dist=True)

    def on_validation_start(self) -> None:
        """Before a checkpoint is written, see that what it would hold is finite."""
        for optimizer in self.trainer.optimizers:
            check_weights(self, optimizer.state, self.global_step)

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Keep the states of the generators that draw the noise, and what was counted."""
        states = self._generators()
        if self._before_step is not None and self._before_step[0] == self.global_step:
            states = self._before_step[1]  # the step was not taken: it draws again what it drew
        checkpoint["generators"] = {k: of_all(v, self.device) for k, v in states.items()}
        checkpoint["clipped"] = self.clipped
        checkpoint["precision"] = self.precision

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Go on drawing where the checkpoint was written, in the precision it was written in.

        Args:
            checkpoint: What was written.

        Raises:
            ValueError: If other than this many processes wrote it, whose noise would be another's.
        """
        wrote, here = len(checkpoint["generators"]["cpu"]), self.trainer.world_size
        if wrote != here:
            raise ValueError(f"devices: expected the run's own number {wrote}, got {here}")
        states = {k: v[self.global_rank] for k, v in checkpoint["generators"].items()}
        torch.set_rng_state(states["cpu"])
        if "cuda" in states and torch.cuda.is_available():
            torch.cuda.set_rng_state(states["cuda"], self.device)
        self.clipped = checkpoint.get("clipped", 0)
        self.precision = checkpoint.get("precision", "float32")

    def configure_optimizers(self) -> OptimizerLRSchedulerConfig:
        """The optimiser, and its step size as a function of the step."""
        config = self.config
        optimizer = optimizer_for(self, config, self._check_gradients)
        # A plain function, which LambdaLR keeps out of the checkpoints; a method's fields go in.
        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: rate_of(config, step))
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    def _check_gradients(self, parameters: Sequence[nn.Parameter]) -> None:
        """Take some gradients into the norm, or raise if they are not finite."""
        norm = gradient_norm(parameters)
        if not math.isfinite(norm):
            raise gradient_error(self, parameters, self.global_step)
        self._square += norm**2

    def _part(self, index: int) -> int:
        """Which part of its step a batch is."""
        return index % self.config.accumulate

    def _generators(self) -> dict[str, Tensor]:
        states = {"cpu": torch.get_rng_state()}
        if self.device.type == "cuda":
            states["cuda"] = torch.cuda.get_rng_state(self.device)
        return states

    def _raise_not_finite(self, x: Tensor, y: Tensor | None, *, here: bool) -> None:
        """Raise with the layer, where this process has seen it."""
        seen = "in another process"
        if here:
            with torch.no_grad(), conditioner_precision(x.device, self.precision):
                path = first_not_finite(trace(self.flow, x, context_of(self.flow, x, y)))
            seen = f"first seen in {path or 'the objective'}"
        raise FloatingPointError(
            f"training step {self.global_step}: the loss is not finite; {seen}. {KEPT}"
        )


def settled(device: torch.device, name: Precision) -> Precision:
    """A precision by name, ``auto`` settled for a device."""
    return "bfloat16" if conditioner_dtype(device, name) == torch.bfloat16 else "float32"
