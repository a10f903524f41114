"""The events that ``lambent info`` measures a trained model on."""

from __future__ import annotations

from typing import NamedTuple

import torch
from jsonargparse import Namespace
from torch import Tensor

from lambent.cli.contexts import label_rows
from lambent.cli.costs import event_dtype
from lambent.cli.options import config_of
from lambent.cli.runs import check_fits, load_named
from lambent.cli.tables import load_for
from lambent.core.context import context_of, needs_labels, reads_images
from lambent.core.device import pick_device
from lambent.core.flow import Flow
from lambent.core.seed import seeded
from lambent.data import DataConfig
from lambent.evaluate.check_layer import REFUSALS
from lambent.types import Context

TEMPERATURE = 0.7
"""Of the model's own draws, where no data is given."""


class Inputs(NamedTuple):
    """Events, and where they are from."""

    x: Tensor
    context: Context | None
    of: str


def load_to_measure(options: Namespace) -> Flow:
    """The flow that ``what`` names, on a device that has float64.

    Args:
        options: With ``what`` and ``device``.

    Returns:
        The flow.

    Raises:
        ValueError: If there is no such model or device.
    """
    device = pick_device(options.device)
    flow = load_named("what", options.what)
    return flow.to("cpu" if device.type == "mps" else device)  # MPS has no float64


def inputs_for(flow: Flow, n: int, options: Namespace) -> Inputs:
    """The first events of a set, or draws of the model itself where no data is given.

    Args:
        flow: The flow.
        n: How many, at most.
        options: With ``data`` and its settings, and ``seed``.

    Returns:
        The events, with what a conditional flow is given.

    Raises:
        ValueError: If data does not fit the flow, or it needs some and none is given.
    """
    if n < 1:
        raise ValueError(f"n: expected at least 1, got {n}")
    if options.data is None:
        return _draws(flow, n, options.seed)
    data = config_of(options, DataConfig, "data_")
    events = load_for(flow, options.data, data)
    check_fits(flow, events)
    x, y = events[:n]
    if needs_labels(flow) and y is None:
        raise ValueError("data: the flow is conditional; expected labelled images, got none")
    device = next(flow.parameters()).device
    x = x.to(device)
    with seeded(options.seed):
        context = context_of(flow, x, None if y is None else y.to(device))
    return Inputs(x, context, f"{events.name}, {data.split}")


def _draws(flow: Flow, n: int, seed: int) -> Inputs:
    """What the model draws; noise if it cannot."""
    if reads_images(flow):
        raise ValueError("data: the model is conditional on images; expected a set, got none")
    labels = label_rows(flow, None, n)
    rows = n if labels is None else None
    try:
        with seeded(seed):
            x = flow.sample(rows, labels, temperature=TEMPERATURE)
    except REFUSALS as error:
        whole, shape = event_dtype(flow) == torch.uint8, (n, *flow.event_shape)
        with seeded(seed):
            x = torch.randint(0, 256, shape, dtype=torch.uint8) if whole else torch.randn(shape)
        x = x.to(next(flow.parameters()).device)
        return Inputs(x, labels, f"random noise, for the model cannot be drawn from: {error}")
    return Inputs(x, labels, f"draws from the model itself at temperature {TEMPERATURE:g}")
