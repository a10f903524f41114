"""How far the states that inverses rebuild have drifted from the true ones."""

from __future__ import annotations

import math
from typing import Any

import lightning.pytorch as pl
import torch
from lightning.pytorch.callbacks import Callback
from torch import Tensor, nn

from lambent.core.compose import Compose
from lambent.core.context import context_of
from lambent.core.flow import Flow
from lambent.core.recompute import set_recompute
from lambent.core.seed import seeded
from lambent.nn.precision import Precision, conditioner_precision
from lambent.train.callbacks import warn_line
from lambent.types import Context

DRIFT_BOUND = 1e-3
"""Relative error of a rebuilt state past which gradients are not to be trusted.

A healthy Glow in float32 stays far below it; the error grows with the number of steps, with the
condition of the 1x1 weights and with small scales.
"""


def rebuilding(module: nn.Module) -> list[Compose]:
    """The chains whose backward pass rebuilds states by inverses."""
    return [m for m in module.modules() if isinstance(m, Compose) and m.recompute == "inverse"]


@torch.no_grad()
def chain_drift(chain: Compose, x: Tensor, context: Context | None = None) -> float:
    """The largest relative error of the states of a chain, rebuilt as its backward pass does it.

    ``max |rebuilt - true| / max(1, max |true|)`` over the inputs of all steps, going back from the
    output and from each input that the chain keeps.

    Args:
        chain: Steps with cheap inverses.
        x: What it is given, ``(b, *x)``.
        context: What it is conditioned on.

    Returns:
        The error; not finite if a rebuilt state is not.
    """
    steps, inputs, state = list(chain), list[Tensor](), x
    for step in steps:
        inputs.append(state)
        state = step(state, context)[0]
    worst = 0.0
    for position in reversed(range(len(steps))):
        true = inputs.pop()
        state = steps[position].inverse(state, context)[0]
        error = float((state - true).abs().max()) / max(1.0, float(true.abs().max()))
        worst = error if not error <= worst else worst  # a NaN stays
        if math.isnan(worst):
            return math.inf
        if chain.every and position % chain.every == 0:
            state = true
    return worst


def drift(flow: Flow, x: Tensor, y: Tensor | None, precision: Precision = "float32") -> float:
    """The largest drift of a flow's chains on a batch; see :func:`chain_drift`.

    Args:
        flow: The flow.
        x: Events, ``(b, *event_shape)``.
        y: Their labels, where the flow is conditional.
        precision: What the networks compute in, in training.

    Returns:
        The error; 0 where nothing is rebuilt.
    """
    found: list[float] = []

    def measure(chain: nn.Module, inputs: tuple[Any, ...]) -> None:
        assert isinstance(chain, Compose)
        found.append(chain_drift(chain, *inputs))

    handles = [chain.register_forward_pre_hook(measure) for chain in rebuilding(flow)]
    try:
        with torch.no_grad(), seeded(0), conditioner_precision(x.device, precision):
            flow(x, context_of(flow, x, y))
    finally:
        for handle in handles:
            handle.remove()
    return max(found, default=0.0)


class DriftCheck(Callback):
    """Measures the drift at every validation; past a bound, has hidden layers rebuilt instead.

    Logs ``numerics/drift``, and ``numerics/switched``, which is 1 from the validation on at which
    it gave the inverses up. It does nothing for a flow that rebuilds no states, and comes after the
    callback that takes the averaged weights out again, so that it sees those that are trained.

    Args:
        images: How many images to measure on, at most.
        bound: The bound.
    """

    def __init__(self, images: int, bound: float = DRIFT_BOUND) -> None:
        self.images = images
        self.bound = bound
        self.switched = False
        self.batch: tuple[Tensor, Tensor | None] | None = None

    def state_dict(self) -> dict[str, Any]:
        """Whether a resumed run goes on without inverses."""
        return {"switched": self.switched}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on without them."""
        self.switched = state_dict["switched"]

    def on_train_start(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        """Go on as the run was when it was interrupted."""
        if self.switched:
            set_recompute(module.flow, "checkpoint")  # type: ignore[arg-type]

    def on_validation_batch_start(
        self,
        trainer: pl.Trainer,
        module: pl.LightningModule,
        batch: Any,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        """Keep some images of the first batch."""
        if batch_idx == 0:
            x, y = batch
            self.batch = (x[: self.images], None if y is None else y[: self.images])

    def on_validation_epoch_end(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        """Measure, and switch if need be."""
        flow, batch, self.batch = module.flow, self.batch, None
        assert isinstance(flow, Flow)
        if batch is None or not (self.switched or rebuilding(flow)):
            return
        if not self.switched:
            found = drift(flow, *batch, module.precision)  # type: ignore[arg-type]
            module.log("numerics/drift", found)
            if not found <= self.bound:
                self._switch(flow, trainer.global_step, found)
        module.log("numerics/switched", float(self.switched))

    def _switch(self, flow: Flow, step: int, found: float) -> None:
        self.switched = True
        set_recompute(flow, "checkpoint")
        warn_line(
            f"step {step}: states rebuilt by inverses are off by {found:.1e}, more than "
            f"{self.bound:.0e}; going on with recompute: checkpoint"
        )
