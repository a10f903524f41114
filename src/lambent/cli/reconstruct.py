"""``lambent reconstruct``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch

from lambent.cli.options import Options
from lambent.cli.output import report, write_out
from lambent.cli.runs import check_fits, load_run, read_with_run
from lambent.core.context import context_of
from lambent.core.seed import seeded
from lambent.data import grid, load_images
from lambent.edit import reconstruct
from lambent.evaluate import grey_levels


def run(arguments: Sequence[str]) -> None:
    """Encode and decode images, count the pixels that differ, and show both.

    Args:
        arguments: What follows ``lambent reconstruct``.
    """
    parser = Options(
        "reconstruct",
        "Encode and decode images, count the pixels that differ, and show both: a row of "
        "originals at the model's grey levels, then a row of reconstructions.",
    )
    parser.add_run()
    parser.add_data(split="validation")
    parser.add_argument("--n", type=int, default=256, help="how many images")
    parser.add_argument("--show", type=int, default=10, help="how many of them to show")
    parser.add_argument("--out", type=Path, required=True, help="the picture to write")
    parser.add_running()
    options, data = read_with_run(parser, arguments)
    for name in ("n", "show"):
        if options[name] < 1:
            raise ValueError(f"{name}: expected at least 1, got {options[name]}")
    flow = load_run(options.run, options.device)
    images = load_images(options.data, data)
    check_fits(flow, images)
    images = images.subset(slice(options.n))
    device = next(flow.parameters()).device
    back = []
    for start in range(0, len(images), 64):
        x, y = images[start : start + 64]
        x = x.to(device)
        with seeded(options.seed):
            context = context_of(flow, x, None if y is None else y.to(device))
        back.append(reconstruct(flow, x, context).cpu())
    decoded = torch.cat(back)
    expected, _ = images.quantised(grey_levels(flow) or 256)[:]
    differ = decoded != expected
    shown = min(options.show, len(images))
    pair = torch.cat((expected[:shown], decoded[:shown]))
    write_out(options.out, grid(pair, shown))
    figures = {
        "images": len(images),
        "exact_images": int((~differ.flatten(1).any(1)).sum()),
        "pixels_that_differ": int(differ.sum()),
        "largest_difference": int((decoded.int() - expected.int()).abs().max()),
        "out": str(options.out),
    }
    report(f"reconstructions of {options.run}", figures, as_json=options.json)
