"""What commands that draw or look at a few events give a conditional flow."""

from __future__ import annotations

import math
from typing import Any

import torch

from lambent.cli.tables import known_context
from lambent.core.context import classes_of, reads_columns, reads_images
from lambent.core.flow import Flow
from lambent.core.seed import seeded
from lambent.data import ColumnFacts
from lambent.data.tabular import rows_of
from lambent.evaluate import log_prob_by_class


def label_rows(flow: Flow, label: int | None, n: int) -> torch.Tensor | None:
    """Labels for ``n`` images: all the one asked for, or the classes in turn.

    Args:
        flow: The flow.
        label: The class of all of them, if one is asked for.
        n: How many.

    Returns:
        The labels, ``(n,)``; nothing for an unconditional flow.

    Raises:
        ValueError: If a label is asked of an unconditional flow, or is not one of its classes.
    """
    check_takes_no_images(flow)
    classes = classes_of(flow)
    if classes is None:
        if label is not None:
            raise ValueError(f"label: the model is not class-conditional, got {label}")
        return None
    device = next(flow.parameters()).device
    if label is None:
        return torch.arange(n, device=device) % classes
    return torch.full((n,), label_in_range(label, classes), device=device)


def given_rows(flow: Flow, given: str | None, n: int) -> torch.Tensor | None:
    """The condition of ``n`` draws of a flow that is conditional on vectors.

    Args:
        flow: The flow.
        given: Its numbers, with commas between them, if there are any; of columns also
            name=value pairs.
        n: How many draws.

    Returns:
        The same row ``n`` times; nothing for other flows.

    Raises:
        ValueError: If numbers are given to another flow, are missing, or are none.
    """
    device = next(flow.parameters()).device
    if not reads_columns(flow):
        if given is not None:
            raise ValueError(f"given: the model is not conditional on numbers, got '{given}'")
        return None
    columns = known_context(flow)
    if columns:
        row = rows_of(_one_row(given or "", columns), columns)
        return torch.tensor(row, dtype=torch.float32, device=device).expand(n, -1)
    try:
        numbers = [float(word) for word in (given or "").split(",")]
        if not all(map(math.isfinite, numbers)):
            raise ValueError(given)
    except ValueError as error:
        raise ValueError(
            f"given: expected the numbers of the condition, such as 0.5,1, got {given!r}"
        ) from error
    return torch.tensor(numbers, device=device).expand(n, -1)


def _one_row(given: str, columns: tuple[ColumnFacts, ...]) -> Any:
    """What is given of columns, as a table of one row."""
    import pyarrow as pa  # type: ignore[import-untyped,unused-ignore]

    words = given.split(",") if given else []
    if words and all("=" in word for word in words):
        said = dict(word.split("=", 1) for word in words)
    else:
        said = dict(zip((column.name for column in columns), words, strict=False))
    names = [column.name for column in columns]
    if set(said) != set(names) or len(words) != len(names):
        raise ValueError(
            f"given: expected a value of each of {', '.join(names)}, such as "
            f"{names[0]}=..., got '{given}'"
        )
    values: dict[str, list[object]] = {}
    for column in columns:
        word = said[column.name]
        if column.kind == "category":
            same: list[object] = [value for value in column.categories if str(value) == word]
            values[column.name] = same or [word]
            continue
        values[column.name] = [_number(column.name, word)]
    return pa.table(values)


def _number(name: str, word: str) -> float:
    try:
        number = float(word)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise ValueError(f"given: expected a number of '{name}', got '{word}'")
    return number


def label_in_range(label: int, classes: int) -> int:
    """A label, once it is found to be one.

    Args:
        label: The number of a class.
        classes: How many there are.

    Returns:
        The label.

    Raises:
        ValueError: If there is no such class.
    """
    if not 0 <= label < classes:
        raise ValueError(f"label: expected 0 to {classes - 1}, got {label}")
    return label


def check_takes_no_images(flow: Flow) -> None:
    """Raise where a command gives a flow no images and it is conditional on some.

    Args:
        flow: The flow.

    Raises:
        ValueError: If it is.
    """
    if reads_images(flow):
        raise ValueError(
            "run: expected a model that needs no input images here, got one that is conditional "
            "on images; train, evaluate, score, reconstruct and sample take such models"
        )


def infer_labels(flow: Flow, images: torch.Tensor) -> torch.Tensor | None:
    """The class of largest ``p(x | y)`` of each image; nothing for an unconditional flow."""
    check_takes_no_images(flow)
    if flow.context_encoder is None:
        return None
    with torch.no_grad(), seeded(0):
        return log_prob_by_class(flow, images).argmax(0)
