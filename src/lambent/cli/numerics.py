"""What ``lambent info RUN --check`` says."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import torch
from jsonargparse import Namespace
from torch import Tensor

from lambent.cli.contexts import label_rows
from lambent.cli.costs import event_dtype
from lambent.cli.options import config_of
from lambent.cli.output import report, write_table
from lambent.cli.runs import check_fits, load_named
from lambent.cli.tables import load_for
from lambent.core.context import context_of, needs_labels, reads_images
from lambent.core.device import pick_device
from lambent.core.flow import Flow
from lambent.core.seed import seeded
from lambent.data import DataConfig
from lambent.evaluate import LayerCheck, NumericsCheck, check_numerics
from lambent.evaluate.check_findings import of_layer
from lambent.evaluate.check_layer import REFUSALS
from lambent.types import Context

TEMPERATURE = 0.7
"""Of the model's own draws, where no data is given."""

NUMBERS = 2**18
"""As many numbers are checked if ``--n`` is not given, in ``MOST_EVENTS`` images at most."""

MOST_EVENTS = 64

_HEADER = (
    *("layer", "round trip, float32", "float64", "smallest scale", "largest", "condition"),
    "",  # a mark where something is suspicious
)


def run_check(options: Namespace) -> None:
    """Check the numerics of a trained flow, and print what was found.

    Args:
        options: With ``what``, ``data`` and its settings, ``n``, ``seed``, ``device``, ``json``.

    Raises:
        ValueError: If an option is out of range, or data does not fit the flow.
    """
    if options.n is not None and options.n < 1:
        raise ValueError(f"n: expected at least 1, got {options.n}")
    flow = load_named("what", options.what)
    device = pick_device(options.device)
    flow = flow.to("cpu" if device.type == "mps" else device)  # MPS has no float64
    wanted = max(1, min(MOST_EVENTS, NUMBERS // math.prod(flow.event_shape)))
    n = wanted if options.n is None else options.n
    if options.data is None:
        x, context, inputs = _draws(flow, n, options.seed)
    else:
        x, context, inputs = _images(flow, n, options)
    result = check_numerics(flow, x, context, seed=options.seed)
    figures = _in_figures(flow, result, inputs)
    if options.json:
        layers = [dataclasses.asdict(layer) for layer in result.layers]
        figures = {**figures, "layers": layers, "suspicious": list(result.suspicious)}
    else:
        write_table(_HEADER, [_row(layer) for layer in result.layers])
        if result.suspicious:
            figures["suspicious"] = {str(i): s for i, s in enumerate(result.suspicious, 1)}
    report(f"numerics of {options.what}", figures, as_json=options.json)


def _draws(flow: Flow, n: int, seed: int) -> tuple[Tensor, Context | None, str]:
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
        return x, labels, f"random noise, for the model cannot be drawn from: {error}"
    return x, labels, f"draws from the model itself at temperature {TEMPERATURE:g}"


def _images(flow: Flow, n: int, options: Namespace) -> tuple[Tensor, Context | None, str]:
    """The first images of a set, and what a conditional flow is given of them."""
    data = config_of(options, DataConfig, "data_")
    images = load_for(flow, options.data, data)
    check_fits(flow, images)
    x, y = images[:n]
    if needs_labels(flow) and y is None:
        raise ValueError("data: the flow is conditional; expected labelled images, got none")
    device = next(flow.parameters()).device
    x = x.to(device)
    with seeded(options.seed):
        context = context_of(flow, x, None if y is None else y.to(device))
    return x, context, f"{images.name}, {data.split}"


def _in_figures(flow: Flow, result: NumericsCheck, inputs: str) -> dict[str, Any]:
    return {
        "parameters": sum(p.numel() for p in flow.parameters()),
        "inputs": inputs,
        "events": result.events,
        "exact_events": result.exact_events,
        "largest_difference": result.largest_difference,
        "gradient": result.gradient and dataclasses.asdict(result.gradient),
        "verdict": "clean" if result.clean else "suspicious",
    }


def _row(layer: LayerCheck) -> tuple[str, ...]:
    figures = (
        *(layer.round_trip_float32, layer.round_trip_float64),
        *(layer.smallest_scale, layer.largest_scale, layer.condition),
    )
    shown = ("" if value is None else f"{value:.2g}" for value in figures)
    return (layer.path, *shown, "!" if any(of_layer(layer)) else "")
