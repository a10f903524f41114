"""What commands that draw or look at a few events give a conditional flow."""

from __future__ import annotations

import math

import torch

from lambent.core.context import classes_of, reads_columns, reads_images
from lambent.core.flow import Flow
from lambent.core.seed import seeded
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
        given: Its numbers, with commas between them, if there are any.
        n: How many draws.

    Returns:
        The same row ``n`` times; nothing for other flows.

    Raises:
        ValueError: If numbers are given to another flow, are missing, or are none.
    """
    if not reads_columns(flow):
        if given is not None:
            raise ValueError(f"given: the model is not conditional on numbers, got '{given}'")
        return None
    try:
        numbers = [float(word) for word in (given or "").split(",")]
        if not all(map(math.isfinite, numbers)):
            raise ValueError(given)
    except ValueError as error:
        raise ValueError(
            f"given: expected the numbers of the condition, such as 0.5,1, got {given!r}"
        ) from error
    device = next(flow.parameters()).device
    return torch.tensor(numbers, device=device).expand(n, -1)


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
