"""Rows of a table, under the names that their columns had where a flow was trained."""

from __future__ import annotations

from typing import Any

import numpy.typing as npt
from torch import Tensor

from lambent.store import RunFolder, folder_named


def named_columns(run_named: str, rows: Tensor) -> dict[str, npt.NDArray[Any]]:
    """Rows as columns by name; x0, x1, ... where a model's folder does not tell.

    Args:
        run_named: The run, or the model.
        rows: The rows, ``(n, d)``.

    Returns:
        Each column, ``(n,)``.
    """
    run = RunFolder(folder_named(run_named))
    recorded = run.read_config().get("data") or {} if run.config.is_file() else {}
    names = recorded.get("columns") or [f"x{i}" for i in range(rows.shape[1])]
    numbers = (values.numpy() for values in rows.cpu().unbind(1))
    return dict(zip(map(str, names), numbers, strict=True))
