"""What backward passes rebuild, chosen for a whole flow."""

from __future__ import annotations

from typing import Literal

from torch import nn

from lambent.core.compose import Compose


def set_recompute(module: nn.Module, mode: Literal["never", "checkpoint"]) -> None:
    """Choose anew what backward passes rebuild: nothing, or the conditioners' hidden layers.

    Chains that were built to rebuild by inverses keep their states from then on.

    Args:
        module: A flow, or a part of one.
        mode: ``never`` or ``checkpoint``.

    Raises:
        ValueError: If the mode is another.
    """
    if mode not in ("never", "checkpoint"):
        raise ValueError(f"mode: expected never or checkpoint, got '{mode}'")
    for part in module.modules():
        if isinstance(part, Compose):
            part.recompute = "never"
        elif hasattr(part, "recompute"):
            part.recompute = mode  # type: ignore[assignment]
