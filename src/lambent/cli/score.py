"""``lambent score``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from lambent.cli.options import Options
from lambent.cli.output import check_suffix, report, writing
from lambent.cli.progress import progress
from lambent.cli.runs import add_measuring, check_fits, load_run, read_with_run
from lambent.cli.score_table import score_table
from lambent.cli.tables import load_for
from lambent.core.units import units_of
from lambent.data import Table
from lambent.evaluate import check_not_joint, score
from lambent.store import TABLE_SUFFIXES, Column, writing_rows
from lambent.store.rows import SUFFIXES


def run(arguments: Sequence[str]) -> None:
    """Write the bits per dimension of each image to a file.

    Args:
        arguments: What follows ``lambent score``.
    """
    parser = Options(
        "score",
        "Write the bits per dimension of each image to a file, or a table with log-densities.",
    )
    parser.add_run()
    parser.add_data(split="validation")
    parser.add_argument(
        "--out",
        type=Path,
        required=True,
        help="the .npz or .parquet to write; of a table also .csv",
    )
    parser.add_argument("--batch-size", type=int, default=256, help="images at a time")
    add_measuring(parser)
    parser.add_running()
    options, data = read_with_run(parser, arguments)
    flow = load_run(options.run, options.device, options.weights)
    check_suffix(options.out, SUFFIXES if units_of(flow).of_images else TABLE_SUFFIXES)
    images = load_for(flow, options.data, data)
    check_fits(flow, images)
    check_not_joint(flow)
    if isinstance(images, Table):
        score_table(flow, images, options, data)
        return
    columns = {"index": Column("int64"), "bits_per_dim": Column("float64")}
    if images.labels is not None:
        columns["label"] = Column("int64")
    count = len(images)
    total, start = 0.0, 0
    with (
        writing(options.out),
        writing_rows(options.out, columns, count) as add,
        progress("score", count) as done,
    ):

        def each(bits: Tensor) -> None:
            nonlocal total, start
            end = start + len(bits)
            rows = {"index": torch.arange(start, end), "bits_per_dim": bits}
            if images.labels is not None:
                rows["label"] = images.labels[start:end]
            add({name: values.numpy() for name, values in rows.items()})
            total, start = total + float(bits.sum()), end
            done(len(bits))

        score(
            flow,
            images,
            each,
            batch_size=options.batch_size,
            seed=options.seed,
            importance_samples=options.importance_samples,
        )
    figures = {
        "images": count,
        "bits_per_dim": total / count,
        "likelihood": flow.likelihood,
        "weights": None if options.weights == "model" else options.weights,
        "out": str(options.out),
    }
    report(f"scores of {images.name}, {data.split}", figures, as_json=options.json)
