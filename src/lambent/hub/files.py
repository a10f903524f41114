"""Files of weights, read without running anything in them."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor


def read_weights(path: str | Path) -> dict[str, Tensor]:
    """The state dict in a file, on the CPU.

    A checkpoint may hold it beside other things, such as an optimiser's state; it is the one
    mapping of names to nothing but tensors.

    Args:
        path: A ``.safetensors`` file, or one that ``torch.save`` wrote; it is read with
            ``weights_only=True``.

    Returns:
        Tensors by name.

    Raises:
        ValueError: If the file is not there, cannot be read, or does not hold one state dict.
    """
    path = Path(path)
    if not path.is_file():
        raise ValueError(f"source: expected a file of weights, got '{path}', which is not one")
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        with warnings.catch_warnings():  # torch's remarks on files that it then refuses
            warnings.simplefilter("ignore")
            content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # a broken file can make the readers raise almost anything
        reason = str(error).strip().split("\n")[0]
        raise ValueError(f"source: expected readable weights in {path}, got: {reason}") from error
    found = [part for part in _parts(content) if _is_state_dict(part)]
    if len(found) != 1:
        raise ValueError(
            f"source: expected one mapping of names to tensors in {path}, found {len(found)}"
        )
    return dict(found[0])


def _parts(content: Any) -> list[Any]:
    """The content itself, or what a checkpoint holds by name."""
    if isinstance(content, Mapping) and not _is_state_dict(content):
        return list(content.values())
    return [content]


def _is_state_dict(part: Any) -> bool:
    """Whether this is a mapping of names to tensors, and not an empty one."""
    return (
        isinstance(part, Mapping)
        and len(part) > 0
        and all(isinstance(k, str) and isinstance(v, Tensor) for k, v in part.items())
    )
