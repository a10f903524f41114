"""``lambent interpolate``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch

from lambent.cli.contexts import infer_labels, label_rows
from lambent.cli.options import Options
from lambent.cli.output import report, write_out
from lambent.cli.runs import load_run
from lambent.data import Images, grid, read_picture
from lambent.edit import interpolate
from lambent.evaluate import grey_levels


def run(arguments: Sequence[str]) -> None:
    """Walk between two images in latent space.

    Args:
        arguments: What follows ``lambent interpolate``.
    """
    parser = Options("interpolate", "Walk the straight line between two images in latent space.")
    parser.add_run()
    parser.add_argument("first", type=Path, help="a picture of the model's size")
    parser.add_argument("last", type=Path, help="another")
    parser.add_argument("--frames", type=int, default=9, help="images in all")
    parser.add_argument(
        "--label",
        type=int,
        help="class of every frame; without it a class-conditional flow takes the first "
        "picture's most likely one",
    )
    parser.add_argument("--out", type=Path, required=True, help="the picture to write")
    parser.add_running()
    options = parser.read(arguments)
    flow = load_run(options.run, options.device)
    if len(flow.event_shape) != 3:
        raise ValueError(f"run: expected a model of images, got one of {flow.event_shape}")
    channels, height, width = flow.event_shape
    device = next(flow.parameters()).device
    first, last = (
        read_picture(path, (channels, height, width)).to(device)
        for path in (options.first, options.last)
    )
    label = (
        infer_labels(flow, first[None])
        if options.label is None
        else label_rows(flow, options.label, 1)
    )
    frames = interpolate(flow, first, last, frames=options.frames, context=label)
    write_out(options.out, grid(frames.cpu(), options.frames))
    pictures = Images(torch.stack((first, last)).cpu()).quantised(grey_levels(flow) or 256)
    ends = frames[[0, -1]].cpu() == pictures.images
    figures = {
        "frames": len(frames),
        "label": None if label is None else int(label),
        "ends_exact": bool(ends.all()),
        "out": str(options.out),
    }
    report(f"interpolation in {options.run}", figures, as_json=options.json)
