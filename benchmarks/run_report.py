"""What a run reached: bits per dimension beside yardsticks, and whether images decode exactly.

    python benchmarks/run_report.py RUN DATA [--reconstruct 256] [--out FILE.json]

The table on the Glow page is made from these files by ``benchmarks/results_table.py``.
"""

from __future__ import annotations

import argparse
import dataclasses
from pathlib import Path

import torch
from emit import emit

import lambent
from lambent.data import DataConfig, load_images
from lambent.evaluate import measure, yardsticks
from lambent.store import RunFolder


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path)
    parser.add_argument("data")
    parser.add_argument("--reconstruct", type=int, default=256)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()

    run = RunFolder(options.run)
    settings = run.read_config()
    chosen = {k: settings["data"][k] for k in ("size", "crop", "validation", "seed")}
    train = load_images(options.data, DataConfig(split="train", **chosen))
    held_out = load_images(options.data, DataConfig(split="validation", **chosen))
    flow = lambent.load(options.run)
    conditional = flow.context_encoder is not None
    result = measure(flow, held_out, marginal=conditional)
    levels = result.grey_levels or 256
    images, labels = held_out[: options.reconstruct]
    context = labels if conditional else None
    back = lambent.reconstruct(flow, images, context)
    expected = held_out.quantised(levels)[: options.reconstruct][0]
    figures = {
        **dataclasses.asdict(result),
        "parameters": sum(p.numel() for p in flow.parameters()),
        "max_minutes": settings["train"]["max_minutes"],
        "steps": torch.load(run.last, weights_only=True)["global_step"],
        "batch_size": settings["train"]["batch_size"],
        "train_images": len(train),
        "versions": settings["versions"],
        "yardsticks": yardsticks(train.quantised(levels), held_out.quantised(levels)),
        "decoded_images": len(images),
        "decoded_exactly": int(torch.eq(back, expected).flatten(1).all(1).sum()),
    }
    emit(figures, options.out)


if __name__ == "__main__":
    main()
