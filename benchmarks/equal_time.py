"""The same CPU time for two Glows: ours and normflows', each with its own settings.

One arm at a time; the clock is the process's CPU time over all its threads, and stands still during
validation. Images of 28x28 are padded with zeros to 32x32 for both.

    python benchmarks/equal_time.py run --arm normflows --data FOLDER --seed 0 --out ARM.json
    python benchmarks/equal_time.py draw ARM.json... [--out docs/benchmarks]
"""

from __future__ import annotations

import argparse
import json
import math
import time
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import torch
import torch.nn.functional as F
from emit import write_json
from equal_time_arms import ARMS, accounting_difference
from equal_time_report import draw
from torch import Tensor

import lambent
from lambent.data import DataConfig, Images, load_images

SIDE = 32
EVERY = 120.0


def marks(limit: float) -> Iterator[float]:
    """CPU seconds to validate at: doubling at first, then every two minutes, and the limit."""
    mark = 15.0
    while mark < limit:
        yield mark
        mark += min(mark, EVERY)
    yield limit


def padded(images: Images) -> Images:
    """The set at 32x32, zeros around smaller images."""
    _, height, width = images.shape
    top, left = (SIDE - height) // 2, (SIDE - width) // 2
    around = (left, SIDE - width - left, top, SIDE - height - top)
    return Images(
        F.pad(images.images, around),
        images.labels,
        class_names=images.class_names,
        name=images.name,
    )


def validate(arm: object, images: Tensor, labels: Tensor) -> dict[str, float | int | None]:
    """Mean bits per dimension under the same noise every time, and for every arm."""
    bits = []
    for index, (x, y) in enumerate(zip(images.split(100), labels.split(100), strict=True)):
        with lambent.seeded(index):
            bits.append(arm.bits(x, y).double())
    every = torch.cat(bits)
    finite = every[every.isfinite()]
    return {
        "bits_per_dim": float(finite.mean()) if len(finite) else None,
        "standard_error": float(finite.std() / math.sqrt(len(finite))) if len(finite) > 1 else None,
        "not_finite": len(every) - len(finite),
    }


def run(options: argparse.Namespace) -> None:
    split = {"validation": 0.1, "seed": 0}
    train = padded(load_images(options.data, DataConfig(split="train", **split)))
    held_out = padded(load_images(options.data, DataConfig(split="validation", **split)))
    images, labels = held_out[: options.images]
    arm = ARMS[options.arm](train, options.seed)
    result = {
        "arm": options.arm,
        "data": train.name,
        "seed": options.seed,
        "threads": torch.get_num_threads(),
        "train_images": len(train),
        "validation_images": len(images),
        "parameters": sum(p.numel() for p in arm.parameters),
        "accounting_difference": accounting_difference(images[:100], labels[:100], train.classes),
        "settings": arm.settings,
        "versions": {name: version(name) for name in ("lambent", "normflows", "torch")},
        "points": [],
    }
    torch.manual_seed(options.seed)
    start = time.process_time()
    arm.begin()
    spent = time.process_time() - start
    for mark in marks(options.seconds):
        start, before = time.process_time(), spent
        while spent < mark:
            arm.step()
            spent = before + time.process_time() - start
        point = {
            "cpu_seconds": round(spent, 2),
            "steps": arm.steps,
            "images": arm.steps * arm.batch_size,
            "dropped_steps": arm.dropped,
            **validate(arm, images, labels),
        }
        result["points"].append(point)
        print(json.dumps(point), flush=True)
        write_json(options.out, result)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    verbs = parser.add_subparsers(required=True)
    one = verbs.add_parser("run", help="train one arm")
    one.add_argument("--arm", choices=ARMS, required=True)
    one.add_argument("--data", required=True, help="a folder that lambent.load_images reads")
    one.add_argument("--seed", type=int, default=0)
    one.add_argument("--seconds", type=float, default=1200.0, help="CPU seconds of training")
    one.add_argument("--images", type=int, default=500, help="held-out images to validate on")
    one.add_argument("--out", type=Path, required=True)
    one.set_defaults(call=run)
    report = verbs.add_parser("draw", help="make the picture and the table")
    report.add_argument("files", type=Path, nargs="+")
    report.add_argument("--out", type=Path, default=Path("docs/benchmarks"))
    report.set_defaults(call=lambda o: draw(o.files, o.out))
    options = parser.parse_args()
    options.call(options)


if __name__ == "__main__":
    main()
