"""``lambent export``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from lambent.cli.options import Options
from lambent.cli.output import check_suffix, report, writing
from lambent.cli.runs import load_run
from lambent.hub import export_program
from lambent.hub.export import SUFFIXES
from lambent.hub.programs import Task


def run(arguments: Sequence[str]) -> None:
    """Write one thing a trained flow does as a program for other runtimes.

    Args:
        arguments: What follows ``lambent export``.
    """
    parser = Options(
        "export",
        "Write one thing a trained flow does as a program for other runtimes, and try the file "
        "on drawn events. Noise and latents are inputs of it.",
    )
    parser.add_argument("run", type=Path, help="a run folder or a model folder")
    parser.add_argument("--what", type=Task, required=True, help="what the program does")
    parser.add_argument(
        "--out", type=Path, required=True, help="the .onnx or .pt2 (torch.export) file to write"
    )
    parser.add_argument("--seed", type=int, default=0, help="of the events it is tried on")
    options = parser.read(arguments)
    check_suffix(options.out, SUFFIXES)
    flow = load_run(options.run, "cpu")
    with writing(options.out):
        result = export_program(flow, options.out, options.what, seed=options.seed)
    figures = {
        "program": options.what,
        "inputs": result.inputs,
        "outputs": result.output,
        "events": result.events,
        "largest_difference": result.largest_difference,
        "bytes": options.out.stat().st_size,
        "out": str(options.out),
    }
    report(f"{options.what} of {options.run}", figures, as_json=options.json)
