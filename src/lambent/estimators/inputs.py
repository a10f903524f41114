"""Tables as estimators take them, and what they refuse."""

from __future__ import annotations

from typing import Any

import narwhals as nw
import numpy as np
import numpy.typing as npt
import torch
from sklearn.base import BaseEstimator
from sklearn.utils.validation import validate_data
from torch import Tensor

Array = npt.NDArray[np.float64]


def refuse_text(table: Any, name: str) -> None:
    """Raise if a frame has columns that are not of numbers.

    Args:
        table: A pandas or polars frame, or anything else, which passes.
        name: Of the argument.

    Raises:
        ValueError: If there is such a column.
    """
    frame = nw.from_native(table, pass_through=True, eager_only=True)
    if not isinstance(frame, nw.DataFrame):
        return
    bad = [
        f"'{column}' ({kind})"
        for column, kind in frame.schema.items()
        if not (kind.is_numeric() or kind == nw.Boolean or kind == nw.Object)
    ]
    if bad:
        raise ValueError(
            f"{name}: expected columns of numbers, got {', '.join(bad)}; encode or drop them first"
        )


def read(estimator: BaseEstimator, table: Any, *, fitting: bool = False) -> Array:
    """A table as doubles, checked as scikit-learn does.

    Args:
        estimator: Whose table it is; a fit notes its columns there.
        table: The table.
        fitting: Whether it is a fit's.

    Returns:
        ``(n, d)``.

    Raises:
        ValueError: If it is no table of finite numbers, or not of the fit's columns.
    """
    refuse_text(table, "X")
    least = 2 if fitting else 1
    found: Array = validate_data(
        estimator, table, reset=fitting, dtype=np.float64, ensure_min_samples=least
    )
    return found


def read_both(
    estimator: BaseEstimator, table: Any, y: Any, *, numeric: bool = False
) -> tuple[Array, npt.NDArray[Any]]:
    """A fit's table and targets, checked as scikit-learn does.

    Args:
        estimator: Which notes the table's columns.
        table: The table.
        y: The targets.
        numeric: Whether they are numbers, in one column or several.

    Returns:
        ``(n, d)``, and ``(n,)`` or, of several columns, ``(n, m)``.

    Raises:
        ValueError: If something else was given.
    """
    refuse_text(table, "X")
    if numeric:
        refuse_text(y, "y")
    rows, targets = validate_data(
        estimator,
        table,
        y,
        dtype=np.float64,
        ensure_min_samples=2,
        multi_output=numeric,
        y_numeric=numeric,
    )
    return rows, targets


def tensor(values: Array) -> Tensor:
    """An array as a tensor of its own memory."""
    return torch.tensor(values, dtype=torch.float64)
