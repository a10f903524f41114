"""``lambent bench``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from jsonargparse import Namespace

from lambent.cli.options import Options
from lambent.cli.output import report, write_table
from lambent.cli.tabular.checks import check_tables, disagreement, left_out, places
from lambent.cli.tabular.page import measured, published
from lambent.cli.tabular.plan import FAMILIES, plan, run_cells
from lambent.cli.tabular.results import Results
from lambent.core.device import DeviceName
from lambent.data.published import PUBLISHED, find_published
from lambent.store import RunFolder
from lambent.train import TrainConfig
from lambent.train.callbacks import warn_line

VALIDATED = 10_000
"""Validation rows a run stops by, unless an option says otherwise: all cost more than training."""


def run(arguments: Sequence[str]) -> int:
    """Measure families of vectors on the published tables.

    Args:
        arguments: What follows ``lambent bench``.

    Returns:
        1 if a cell failed, else 0.

    Raises:
        ValueError: If an option is out of range, no table is there, or one is not as published.
    """
    parser = _parser()
    options = parser.read(arguments)
    found = find_published(options.root)
    if not found:
        raise ValueError(
            f"root: expected a folder with one of {', '.join(map(places, PUBLISHED))}, "
            f"got '{options.root}' with none of them"
        )
    cells = [] if options.check else plan(parser, arguments, list(found))
    results = None if options.check else Results(_folder(options))
    waiting = [cell for cell in cells if results is not None and not results.has(cell)]
    checks = check_tables(found)
    differs = disagreement(checks)
    if differs is not None and not options.unpublished:
        raise ValueError(f"root: {differs}; --unpublished goes on")
    for line in (left_out(options.root, found), differs):
        if line is not None:
            warn_line(line)
    if results is None:
        report(f"the normal on {options.root}", checks, as_json=options.json)
        return 0
    with RunFolder(_folder(options)).held():
        results.tables.update(checks)
        results.write()
        failed = run_cells(waiting, found, results, options.device)
    if options.json:
        report("", results.as_dict(), as_json=True)
    else:
        header, rows = measured(results.tables, results.cells)
        write_table(header, [*rows, *published()])
    return int(failed > 0)


def _parser() -> Options:
    parser = Options(
        "bench",
        "Train families of vectors on the published tables of density estimation, and put their "
        "test log-likelihoods beside the published ones.",
        usage="lambent bench tabular --root ROOT --out OUT [options]",
    )
    parser.add_argument("what", type=Literal["tabular"], help="tabular: the published tables")
    parser.add_argument(
        "--root", type=Path, required=True, help="where the published files lie, or some of them"
    )
    parser.add_argument(
        "--out",
        type=Path | None,
        default=None,
        help="a folder for results and runs, or one to go "
        "on in: cells that are finished there are not run again",
    )
    parser.add_argument(
        "--families", type=str, default=",".join(FAMILIES), help="whose presets NAME_table to train"
    )
    parser.add_argument("--seeds", type=str, default="0", help="a run from each, such as 0,1,2")
    parser.add_argument(
        "--max-seconds", type=float | None, default=None, help="of training, for each cell"
    )
    parser.add_argument(
        "--check", action="store_true", help="only compare the normal with its published figures"
    )
    parser.add_argument(
        "--unpublished", action="store_true", help="go on where the normal's figure differs"
    )
    parser.add_argument("--device", type=DeviceName, default="auto", help="where to run")
    parser.add_fields(
        TrainConfig,
        "--train.",
        "training; defaults are the presets', and else",
        loggers=(),
        validation_images=VALIDATED,
    )
    return parser


def _folder(options: Namespace) -> Path:
    """The folder of the results."""
    if options.out is None:
        raise ValueError("out: expected a folder for the results, got none")
    if options.out.exists() and not options.out.is_dir():
        raise ValueError(f"out: expected a folder, got the file {options.out}")
    return Path(options.out)
