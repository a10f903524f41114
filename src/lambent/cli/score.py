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
from lambent.core.units import units_of
from lambent.data import load_events
from lambent.evaluate import check_not_joint, score
from lambent.store import Column, writing_rows
from lambent.store.rows import SUFFIXES


def run(arguments: Sequence[str]) -> None:
    """Write the bits per dimension of each image, or the log-likelihood of each row, to a file.

    Args:
        arguments: What follows ``lambent score``.
    """
    parser = Options(
        "score",
        "Write the bits per dimension of each image, or the log-likelihood of each row in nats, to "
        "a file.",
    )
    parser.add_run()
    parser.add_data(split="validation")
    parser.add_argument("--out", type=Path, required=True, help="the .npz or .parquet to write")
    parser.add_argument("--batch-size", type=int, default=256, help="images at a time")
    add_measuring(parser)
    parser.add_running()
    options, data = read_with_run(parser, arguments)
    check_suffix(options.out, SUFFIXES)
    flow = load_run(options.run, options.device, options.weights)
    images = load_events(options.data, data)
    check_fits(flow, images)
    check_not_joint(flow)
    units = units_of(flow)
    columns = {"index": Column("int64"), units.figure: Column("float64")}
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
            end, found = start + len(bits), units.factor * bits
            rows = {"index": torch.arange(start, end), units.figure: found}
            if images.labels is not None:
                rows["label"] = images.labels[start:end]
            add({name: values.numpy() for name, values in rows.items()})
            total, start = total + float(found.sum()), end
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
        units.events: count,
        units.figure: total / count,
        "likelihood": flow.likelihood,
        "weights": None if options.weights == "model" else options.weights,
        "out": str(options.out),
    }
    report(f"scores of {images.name}, {data.split}", figures, as_json=options.json)
