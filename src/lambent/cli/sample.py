"""``lambent sample``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch

from lambent.cli.options import Options
from lambent.cli.output import report, write_out
from lambent.cli.runs import label_rows, load_run
from lambent.core.seed import seeded
from lambent.data import grid


def run(arguments: Sequence[str]) -> None:
    """Draw images from a trained flow into a grid.

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
    parser.add_argument("--out", type=Path, required=True, help="the picture to write")
    parser.add_running()
    options = parser.read(arguments)
    if options.n < 1:
        raise ValueError(f"n: expected at least 1, got {options.n}")
    flow = load_run(options.run, options.device)
    labels = label_rows(flow, options.label, options.n)
    columns = options.columns
    if columns is None and labels is not None and options.label is None:
        columns = min(options.n, int(labels.max()) + 1)
    with seeded(options.seed):
        images = flow.sample(
            options.n if labels is None else None, labels, temperature=options.temperature
        )
    write_out(options.out, grid(images.cpu(), columns))
    figures = {
        "images": len(images),
        "temperature": options.temperature,
        "label": options.label,
        "pixel_mean": float(images.to(torch.float32).mean()),
        "out": str(options.out),
    }
    report(f"samples of {options.run}", figures, as_json=options.json)
