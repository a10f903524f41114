"""What ``lambent info RUN --conditioning`` says."""

from __future__ import annotations

from typing import Any

from jsonargparse import Namespace

from lambent.cli.inputs import inputs_for, load_to_measure
from lambent.cli.output import check_suffix, report, write_table, writing
from lambent.evaluate import Conditioning, draw_conditioning, measure_conditioning

EVENTS = 4
"""So many events are measured if ``--n`` is not given."""


def run_conditioning(options: Namespace) -> None:
    """Measure how unevenly a trained flow stretches space, and print what was found.

    Args:
        options: With ``what``, ``data`` and its settings, ``n``, ``out``, ``seed``, ``device``,
            ``json``.

    Raises:
        ValueError: If an option is out of range, data does not fit the flow, or the picture cannot
            be written.
    """
    if options.out is not None:
        check_suffix(options.out, (".png",))
    flow = load_to_measure(options)
    x, context, of = inputs_for(flow, EVENTS if options.n is None else options.n, options)
    found = measure_conditioning(flow, x, context)
    if options.out is not None:
        with writing(options.out):
            draw_conditioning(found, options.out)
    figures: dict[str, Any] = {
        "inputs": of,
        "events": len(x),
        "dims": found.dims,
        "jacobian_of": found.of,
        "method": found.method,
        "condition_median": float(found.condition.median()),
        "condition_largest": float(found.condition.max()),
        "out": None if options.out is None else str(options.out),
    }
    if options.json:
        figures["condition"] = found.condition.tolist()
        figures["singular_values"] = found.singular_values.tolist()
    else:
        header = ("event", "largest", "second", "second smallest", "smallest", "condition")
        write_table(header, _rows(found))
    report(f"conditioning of {options.what}", figures, as_json=options.json)


def _rows(found: Conditioning) -> list[tuple[str, ...]]:
    """The ends of the spectrum at each event; what a flow of few numbers has not is left empty."""
    rows = []
    for i, (values, condition) in enumerate(
        zip(found.singular_values.tolist(), found.condition.tolist(), strict=True)
    ):
        inner = (values[1], values[-2]) if len(values) > 3 else (None, None)
        shown = (values[0], *inner, values[-1], condition)
        rows.append((str(i), *("" if v is None else f"{v:.3g}" for v in shown)))
    return rows
