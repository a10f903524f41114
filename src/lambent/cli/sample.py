"""``lambent sample``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch

from lambent.cli.contexts import given_rows, label_rows
from lambent.cli.options import Options
from lambent.cli.output import check_suffix, report, write_out
from lambent.cli.runs import load_run, read_with_run
from lambent.cli.sample_task import sample_task
from lambent.cli.tables import write_rows
from lambent.core.context import reads_images
from lambent.core.seed import seeded
from lambent.data import grid
from lambent.store import TABLE_SUFFIXES

N = 64
"""Images drawn if ``--n`` is not given."""


def run(arguments: Sequence[str]) -> None:
    """Draw images from a trained flow into a grid, or rows into a table.

    Args:
        arguments: What follows ``lambent sample``.
    """
    parser = Options("sample", "Draw images from a trained flow into a grid.")
    parser.add_run()
    parser.add_argument(
        "--n",
        type=int,
        help="how many images: 64; or for each input, where the model is conditional on images: 4",
    )
    parser.add_argument("--temperature", type=float, default=1.0, help="scale of the latents")
    parser.add_argument(
        "--label",
        type=int,
        help="class of every image; without it a class-conditional flow goes through the classes",
    )
    parser.add_argument(
        "--given",
        type=str,
        help="with a model that is conditional on numbers or columns: what every row is given, "
        "such as 0.5,1 or carat=1,cut=Ideal",
    )
    parser.add_argument(
        "--rows",
        type=str,
        help="with a model that is conditional on images: which images of --data, or of the run's "
        "own data, the inputs are made of, such as 0,5,9 (default: the first 8)",
    )
    parser.add_argument("--columns", type=int, help="images in a row of the grid")
    parser.add_argument(
        "--out",
        type=Path,
        required=True,
        help="the picture to write, or the .parquet, .csv or .npz of rows",
    )
    parser.add_running()
    parser.add_data(split="validation", required=False)
    options, data = read_with_run(parser, arguments)
    if options.n is not None and options.n < 1:
        raise ValueError(f"n: expected at least 1, got {options.n}")
    flow = load_run(options.run, options.device)
    if reads_images(flow):
        sample_task(flow, options, data)
        return
    for name in ("data", "rows"):
        if options[name] is not None:
            raise ValueError(
                f"{name}: expected with a model that is conditional on images alone, "
                f"got '{options[name]}'"
            )
    n = N if options.n is None else options.n
    if len(flow.event_shape) != 3:
        check_suffix(options.out, TABLE_SUFFIXES)
    labels = label_rows(flow, options.label, n)
    context = given_rows(flow, options.given, n) if labels is None else labels
    columns = options.columns
    if columns is None and labels is not None and options.label is None:
        columns = min(n, int(labels.max()) + 1)
    with seeded(options.seed):
        images = flow.sample(
            n if context is None else None, context, temperature=options.temperature
        )
    pictures = len(flow.event_shape) == 3
    if pictures:
        write_out(options.out, grid(images.cpu(), columns))
    else:
        given = context if labels is None and isinstance(context, torch.Tensor) else None
        write_rows(options.out, options.run, flow, images, given)
    figures = {
        "images" if pictures else "rows": len(images),
        "temperature": options.temperature,
        "label": options.label,
        "pixel_mean" if pictures else "mean": float(images.to(torch.float32).mean()),
        "out": str(options.out),
    }
    report(f"samples of {options.run}", figures, as_json=options.json)
