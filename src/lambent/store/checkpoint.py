"""Checkpoints of training, read without running anything that is in them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch


def read_checkpoint(path: Path, argument: str) -> Mapping[str, Any]:
    """Read a checkpoint; tensors and plain values are all it may hold.

    Args:
        path: The file.
        argument: What an error is about.

    Returns:
        Its parts by name.

    Raises:
        ValueError: If it is cut short, holds anything else, or is no checkpoint.
    """
    try:
        checkpoint = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # a broken file can make torch raise almost anything
        reason = str(error).strip().split("\n")[0]
        raise ValueError(
            f"{argument}: expected a readable checkpoint in {path}, got: {reason}"
        ) from error
    if not (isinstance(checkpoint, Mapping) and {"state_dict", "global_step"} <= set(checkpoint)):
        raise ValueError(
            f"{argument}: expected a checkpoint of a run in {path}, found another file"
        )
    return checkpoint
