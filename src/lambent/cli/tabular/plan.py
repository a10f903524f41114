"""Which cells are asked for, and running them one after the other."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from lambent.cli.options import Options, config_of, settings_as_options
from lambent.cli.presets import preset_or_family, presets
from lambent.cli.tabular.cells import Cell, run_cell
from lambent.cli.tabular.results import Results
from lambent.data.published import PUBLISHED, load_published
from lambent.errors import unknown
from lambent.train import TrainConfig
from lambent.train.callbacks import warn_line

FAMILIES = (
    "nice",
    "realnvp",
    "made",
    "maf",
    "maf_mog",
    "nsf",
    "flowpp",
    "naf",
    "bernstein",
    "planar",
    "radial",
    "sylvester",
    "iaf",
)
"""All; an IAF comes last, whose density is found number by number and trains as slowly."""


def plan(parser: Options, arguments: Sequence[str], tables: Sequence[str]) -> list[Cell]:
    """All cells that are asked for, table by table, once their settings are found to hold.

    Args:
        parser: Of the command.
        arguments: Of the command; they override what the presets say of training.
        tables: The tables that are there.

    Returns:
        The cells.

    Raises:
        ValueError: If a family, a seed or a setting is none.
    """
    options = parser.read(arguments)
    if options.max_seconds is not None and not options.max_seconds > 0:
        raise ValueError(f"max-seconds: expected more than 0, got {options.max_seconds}")
    seeds = _seeds(options.seeds)
    cells: dict[str, Cell] = {}
    for table in tables:
        for name in _families(options.families):
            family, preset = preset_or_family(f"{name}_table")
            model = {key: value for key, value in preset["model"].items() if key != "family"}
            train = settings_as_options({"train": preset["train"]})
            config = config_of(parser.read([*train, *arguments]), TrainConfig, "train.")
            if options.max_seconds is not None:
                config = dataclasses.replace(config, max_minutes=options.max_seconds / 60)
            for seed in seeds:
                cell = Cell(table, name, seed, (family, model), config)
                cell.build(PUBLISHED[table].features)
                cells[cell.key] = cell
    return list(cells.values())


def run_cells(
    cells: Sequence[Cell], found: Mapping[str, Path], results: Results, device: str
) -> int:
    """Run cells, and write the results after each.

    Args:
        cells: The cells, those of a table together.
        found: The tables' files.
        results: Where the figures go; the runs go beside it.
        device: Where to run.

    Returns:
        How many failed; they are tried again when the command is called again.
    """
    failed = 0
    table = splits = None
    for index, cell in enumerate(cells):
        sys.stderr.write(f"{cell.key}, {index + 1} of {len(cells)}\n")
        if splits is None or cell.table != table:
            splits = None  # or two tables would be in memory
            table, splits = cell.table, load_published(cell.table, found[cell.table])
        try:
            figures = run_cell(cell, splits, results.folder / "runs" / cell.key, device)
        except FloatingPointError as error:
            failed += 1
            warn_line(f"{cell.key} failed, and is tried again by the next call: {error}")
            continue
        results.cells[cell.key] = figures
        results.write()
    return failed


def _families(text: str) -> list[str]:
    known = [name.removesuffix("_table") for name in presets() if name.endswith("_table")]
    names = [word.strip() for word in text.split(",")]
    for name in names:
        if name not in known:
            raise ValueError(f"families: {unknown(name, known)}")
    return names


def _seeds(text: str) -> list[int]:
    words = [word.strip() for word in text.split(",")]
    if not all(word.isdecimal() for word in words):
        raise ValueError(f"seeds: expected numbers from 0, such as 0,1,2, got '{text}'")
    return [int(word) for word in words]
