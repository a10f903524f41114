"""What ``lambent info RUN --check`` says."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

from jsonargparse import Namespace

from lambent.cli.inputs import inputs_for, load_to_measure
from lambent.cli.output import report, write_table
from lambent.core.flow import Flow
from lambent.evaluate import LayerCheck, NumericsCheck, check_numerics
from lambent.evaluate.check_findings import of_layer

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
    flow = load_to_measure(options)
    wanted = max(1, min(MOST_EVENTS, NUMBERS // math.prod(flow.event_shape)))
    n = wanted if options.n is None else options.n
    x, context, inputs = inputs_for(flow, n, options)
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
