"""Uniform and variational dequantisation of one Glow, at equal CPU time.

    python benchmarks/dequantisation.py run --data FOLDER --seed 0 --seconds 540 --out RUN.json
    python benchmarks/dequantisation.py draw RUN.json... [--out docs/benchmarks]

The two train in turn in one process, a step of whichever has had less CPU time, each on a clock of
its own. Both are the preset ``glow_laptop`` given the label in the top prior, with averaged
weights. Held-out images are measured by the bound of one draw of the noise, at the end of several.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from importlib.metadata import version
from pathlib import Path

import torch
from emit import write_json, write_text
from equal_time import padded, validate
from equal_time_arms import Lambent, Variational

import lambent
from lambent.data import DataConfig, load_images

ARMS = {"uniform": Lambent, "variational": Variational}
MARKS = 6


def of_draws(arm: Lambent, x: torch.Tensor, y: torch.Tensor, draws: int) -> dict[str, float]:
    """The bound of the mean of so many draws, in bits per dimension."""
    bits = []
    for index, (images, labels) in enumerate(zip(x.split(100), y.split(100), strict=True)):
        with lambent.seeded(index):
            nats = torch.stack(
                [-math.log(2) * arm.bits(images, labels).double() for _ in range(draws)]
            )
        size = math.prod(images.shape[1:])
        mean = torch.logsumexp(nats * size, 0) - math.log(draws)
        bits.append(-mean / (size * math.log(2)))
    every = torch.cat(bits)
    return {
        "bits_per_dim": float(every.mean()),
        "standard_error": float(every.std() / math.sqrt(len(every))),
    }


def run(options: argparse.Namespace) -> None:
    split = {"validation": 0.1, "seed": 0}
    train = padded(load_images(options.data, DataConfig(split="train", **split)))
    held_out = padded(load_images(options.data, DataConfig(split="validation", **split)))
    images, labels = held_out[: options.images]
    arms, spent = {}, {}
    for name, kind in ARMS.items():
        start = time.process_time()
        arms[name] = kind(train, options.seed)
        arms[name].begin()
        spent[name] = time.process_time() - start
    points: dict[str, list[dict]] = {name: [] for name in ARMS}
    for mark in (options.seconds * (i + 1) / MARKS for i in range(MARKS)):
        while min(spent.values()) < mark:
            name = min(spent, key=spent.get)
            start = time.process_time()
            arms[name].step()
            spent[name] += time.process_time() - start
        for name, arm in arms.items():
            point = {"cpu_seconds": round(spent[name], 1), "steps": arm.steps}
            points[name].append({**point, **validate(arm, images, labels)})
            print(name, json.dumps(points[name][-1]), flush=True)
    result = {
        "data": train.name,
        "seed": options.seed,
        "threads": torch.get_num_threads(),
        "train_images": len(train),
        "held_out_images": len(images),
        "draws": options.draws,
        "settings": arms["uniform"].settings,
        "versions": {name: version(name) for name in ("lambent", "torch")},
        "arms": {
            name: {
                "parameters": sum(p.numel() for p in arm.parameters),
                "points": points[name],
                "of_draws": of_draws(arm, images, labels, options.draws),
            }
            for name, arm in arms.items()
        },
    }
    write_json(options.out, result)


def page(results: list[dict]) -> str:
    first = results[0]
    lines = [
        "# Uniform and variational dequantisation",
        "",
        f"Bits per dimension of {first['held_out_images']} held-out images of `{first['data']}`, "
        f"a bound each, after equal CPU time of training ({first['threads']} thread, "
        f"{first['train_images']:,} images): a Glow of the preset `glow_laptop` with uniform "
        "noise, and the same with noise that a flow of four couplings learns. Lower is better.",
        "",
        f"| seed | noise | parameters | CPU s | steps | one draw | {first['draws']} draws |",
        "|---|---|---|---|---|---|---|",
    ]
    for result in results:
        for name, arm in result["arms"].items():
            last = arm["points"][-1]
            lines.append(
                f"| {result['seed']} | {name} | {arm['parameters']:,} | {last['cpu_seconds']:.0f} "
                f"| {last['steps']:,} | {last['bits_per_dim']:.3f} ± {last['standard_error']:.3f} "
                f"| {arm['of_draws']['bits_per_dim']:.3f} |"
            )
    lines += ["", "Along the way (CPU seconds: uniform, variational):", ""]
    for result in results:
        pairs = zip(*(arm["points"] for arm in result["arms"].values()), strict=True)
        lines += [
            f"- seed {result['seed']}: "
            + "; ".join(
                f"{a['cpu_seconds']:.0f}: {a['bits_per_dim']:.3f}, {b['bits_per_dim']:.3f}"
                for a, b in pairs
            )
        ]
    lines += ["", "`python benchmarks/dequantisation.py` measures this again.", ""]
    return "\n".join(lines)


def draw(options: argparse.Namespace) -> None:
    results = [json.loads(path.read_text()) for path in options.files]
    write_json(options.out / "dequantisation.json", {"runs": results})
    write_text(options.out / "dequantisation.md", page(results))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    verbs = parser.add_subparsers(required=True)
    one = verbs.add_parser("run", help="train both")
    one.add_argument("--data", required=True, help="a folder that lambent.load_images reads")
    one.add_argument("--seed", type=int, default=0)
    one.add_argument("--seconds", type=float, default=540.0, help="CPU seconds of training, each")
    one.add_argument("--images", type=int, default=500, help="held-out images to measure on")
    one.add_argument("--draws", type=int, default=16, help="of the noise, at the end")
    one.add_argument("--out", type=Path, required=True)
    one.set_defaults(call=run)
    report = verbs.add_parser("draw", help="make the table")
    report.add_argument("files", type=Path, nargs="+")
    report.add_argument("--out", type=Path, default=Path("docs/benchmarks"))
    report.set_defaults(call=draw)
    options = parser.parse_args()
    options.call(options)


if __name__ == "__main__":
    main()
