"""``lambent sample``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy.typing as npt
import torch

from lambent.cli.options import Options
from lambent.cli.output import check_suffix, report, write_out, writing
from lambent.cli.rows import named_columns
from lambent.cli.runs import label_rows, load_run
from lambent.core.seed import seeded
from lambent.data import grid
from lambent.store import Column, writing_rows
from lambent.store.rows import SUFFIXES


def run(arguments: Sequence[str]) -> None:
    """Draw images from a trained flow into a grid, or rows into a table.

    Args:
        arguments: What follows ``lambent sample``.
    """
    parser = Options("sample", "Draw images from a trained flow into a grid.")
    parser.add_run()
    parser.add_argument("--n", type=int, default=64, help="how many images")
    parser.add_argument("--temperature", type=float, default=1.0, help="scale of the latents")
    parser.add_argument(
        "--label",
        type=int,
        help="class of every image; without it a class-conditional flow goes through the classes",
    )
    parser.add_argument("--columns", type=int, help="images in a row of the grid")
    parser.add_argument(
        "--out",
        type=Path,
        required=True,
        help="the picture to write, or the .npz or .parquet of rows",
    )
    parser.add_running()
    options = parser.read(arguments)
    if options.n < 1:
        raise ValueError(f"n: expected at least 1, got {options.n}")
    flow = load_run(options.run, options.device)
    if len(flow.event_shape) != 3:
        check_suffix(options.out, SUFFIXES)
    labels = label_rows(flow, options.label, options.n)
    columns = options.columns
    if columns is None and labels is not None and options.label is None:
        columns = min(options.n, int(labels.max()) + 1)
    with seeded(options.seed):
        images = flow.sample(
            options.n if labels is None else None, labels, temperature=options.temperature
        )
    pictures = len(flow.event_shape) == 3
    if pictures:
        write_out(options.out, grid(images.cpu(), columns))
    else:
        _write_rows(options.out, named_columns(options.run, images), len(images))
    figures = {
        "images" if pictures else "rows": len(images),
        "temperature": options.temperature,
        "label": options.label,
        "pixel_mean" if pictures else "mean": float(images.to(torch.float32).mean()),
        "out": str(options.out),
    }
    report(f"samples of {options.run}", figures, as_json=options.json)


def _write_rows(path: Path, columns: dict[str, npt.NDArray[Any]], count: int) -> None:
    kinds = {name: Column(str(values.dtype)) for name, values in columns.items()}
    with writing(path), writing_rows(path, kinds, count) as add:
        add(columns)
