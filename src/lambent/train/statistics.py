"""How large gradients are and what layers multiply by, logged at every validation."""

from __future__ import annotations

import math
from typing import Any

import lightning.pytorch as pl
import torch
from lightning.pytorch.callbacks import Callback
from torch import Tensor, nn

from lambent.core.flow import Flow
from lambent.evaluate.check_scale import scales
from lambent.train.in_backward import AdamWInBackward
from lambent.transforms import ActNorm, ChannelMix


class Statistics(Callback):
    """Logs ``gradients/PART``, ``scales/smallest`` and ``scales/largest``.

    The gradients are those of the step before the validation, before clipping: the root of the mean
    square over the parameters of each part of the flow; there are none where the backward pass has
    freed them. The scales are the smallest and the largest factor of all actnorms and 1x1
    convolutions (their singular values), of the weights that are trained.

    Args:
        every: Steps between validations.
    """

    def __init__(self, every: int) -> None:
        self.every = every
        self.gradients: dict[str, float] = {}

    def on_before_optimizer_step(
        self, trainer: pl.Trainer, module: pl.LightningModule, optimizer: Any
    ) -> None:
        """Measure the gradients, where a validation follows."""
        step = trainer.global_step + 1
        if isinstance(optimizer, AdamWInBackward):
            return
        if step % self.every == 0 or step == trainer.max_steps:
            self.gradients = part_gradients(module.flow)  # type: ignore[arg-type]

    def on_validation_epoch_end(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        """Log."""
        found = {f"gradients/{part}": value for part, value in self.gradients.items()}
        found |= layer_scales(module.flow)  # type: ignore[arg-type]
        module.log_dict(found)


@torch.no_grad()
def part_gradients(flow: Flow) -> dict[str, float]:
    """The root mean square of the gradients of each part of a flow.

    Args:
        flow: After a backward pass.

    Returns:
        By part: a level of a multi-scale flow, else a top step; parts without gradients are left
        out.
    """
    parts: dict[str, list[Tensor]] = {}
    for name, p in flow.named_parameters():
        if p.grad is not None:
            parts.setdefault(_part_of(name), []).append(p.grad)
    return {
        part: float(nn.utils.get_total_norm(found)) / math.sqrt(sum(g.numel() for g in found))
        for part, found in parts.items()
    }


@torch.no_grad()
def layer_scales(flow: Flow) -> dict[str, float]:
    """The smallest and the largest factor of a flow's actnorms and 1x1 convolutions.

    Args:
        flow: The flow.

    Returns:
        ``scales/smallest`` and ``scales/largest``; nothing where it has no such layer.
    """
    unread = torch.empty(0)  # what these two multiply by is the same for every input
    layers = [m for m in flow.transform.modules() if isinstance(m, (ActNorm, ChannelMix))]
    found = [s for s in (scales(layer, unread, None) for layer in layers) if s is not None]
    if not found:
        return {}
    return {
        "scales/smallest": min(s.smallest for s in found),
        "scales/largest": max(s.largest for s in found),
    }


def _part_of(name: str) -> str:
    """``transform.scales.levels.0.step1.net...`` is of ``level0``; else the top step's name."""
    parts = name.split(".")
    if "levels" in parts:
        return f"level{parts[parts.index('levels') + 1]}"
    return parts[1] if parts[0] == "transform" and len(parts) > 2 else parts[0]
