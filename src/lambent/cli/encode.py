"""``lambent encode``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch

from lambent.cli.contexts import check_takes_no_images
from lambent.cli.options import Options
from lambent.cli.output import check_suffix, report, writing
from lambent.cli.progress import progress
from lambent.cli.runs import check_fits, load_run, read_with_run
from lambent.cli.tables import load_for
from lambent.core.units import units_of
from lambent.evaluate import events
from lambent.store import Column, writing_rows
from lambent.store.rows import SUFFIXES


def run(arguments: Sequence[str]) -> None:
    """Write the latents of images to a file.

    Args:
        arguments: What follows ``lambent encode``.
    """
    parser = Options(
        "encode", "Write the latents of images to a file, from which 'decode' gets every pixel."
    )
    parser.add_run()
    parser.add_data(split="validation")
    parser.add_argument("--out", type=Path, required=True, help="the .npz or .parquet to write")
    parser.add_argument("--batch-size", type=int, default=256, help="images at a time")
    parser.add_running()
    options, data = read_with_run(parser, arguments)
    check_suffix(options.out, SUFFIXES)
    flow = load_run(options.run, options.device)
    check_takes_no_images(flow)
    images = load_for(flow, options.data, data)
    check_fits(flow, images)
    (dims,) = flow.base.event_shape
    dtype = str(next(flow.parameters()).dtype).removeprefix("torch.")
    columns = {"index": Column("int64"), "latent": Column(dtype, (dims,))}
    if images.labels is not None:
        columns["label"] = Column("int64")
    count = len(images)
    with (
        writing(options.out),
        writing_rows(options.out, columns, count) as add,
        progress("encode", count) as done,
    ):
        start = 0
        for x, context in events(flow, images, options.batch_size):
            index = torch.arange(start, start + len(x))
            rows = {"index": index, "latent": flow.encode(x, context).cpu()}
            if images.labels is not None:
                rows["label"] = images.labels[start : start + len(x)]
            add({name: values.numpy() for name, values in rows.items()})
            start += len(x)
            done(len(x))
    figures = {units_of(flow).events: count, "dims": dims, "out": str(options.out)}
    report(f"latents of {images.name}, {data.split}", figures, as_json=options.json)
