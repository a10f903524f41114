"""How long one sample takes: untrained Glows of the paper's sizes at 64 and 256 pixels.

    python benchmarks/latency.py [--rounds 9] [--presets NAME ...] [--out docs/benchmarks]

Each is set from a few smooth pictures, so that samples stay in range; no layer's cost depends on
its weights. At 64 pixels normflows' Glow of the same levels, steps and width takes turns with ours.
"""

from __future__ import annotations

import argparse
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path

import torch
import yaml
from competitors import pictures
from emit import write_json, write_text
from equal_time_arms import jittered
from peer import normflows_glow
from rounds import in_turn, milliseconds
from torch import nn

import lambent

SIDES = {"glow_imagenet64": 64, "glow_celebahq256": 256}
WITH_PEER = {"glow_imagenet64"}


def build(preset: str) -> dict[str, nn.Module]:
    """The preset's flow, and the peer of its size where there is one."""
    model = yaml.safe_load((files("lambent") / f"configs/{preset}.yaml").read_text())["model"]
    fields = {k: v for k, v in model.items() if k != "family"}
    shape = (3, SIDES[preset], SIDES[preset])
    config = lambent.GlowConfig(**{"grey_levels": 256} | fields | {"shape": shape})
    models: dict[str, nn.Module] = {"ours": lambent.glow(config)}
    images = pictures(shape, 4)
    lambent.initialize(models["ours"], images)
    if preset in WITH_PEER:
        models["normflows"] = normflows_glow(shape, config.levels, config.steps, config.width)
        models["normflows"](jittered(images))  # sets its actnorms
    return {name: model.eval() for name, model in models.items()}


def table(figures: dict) -> str:
    lines = [
        "# One sample",
        "",
        f"One sample in milliseconds, batch of 1, torch's threads: {figures['threads']}; best and "
        f"median of {figures['rounds']} rounds.",
        "",
        "| model | pixels | parameters | best | median |",
        "|---|---|---|---|---|",
    ]
    for preset, row in figures["models"].items():
        for name, times in row["milliseconds"].items():
            label = f"`{preset}`" if name == "ours" else f"{name}, same sizes"
            lines.append(
                f"| {label} | {row['side']} | {row['parameters'][name]:,} "
                f"| {times['best']:,.0f} | {times['median']:,.0f} |"
            )
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--presets", nargs="+", choices=SIDES, default=list(SIDES))
    parser.add_argument("--out", type=Path, default=Path("docs/benchmarks"))
    options = parser.parse_args()
    rows = {}
    for preset in options.presets:
        torch.manual_seed(0)
        with torch.no_grad():
            models = build(preset)
            times = in_turn({n: lambda m=m: m.sample(1) for n, m in models.items()}, options.rounds)
        rows[preset] = {
            "side": SIDES[preset],
            "parameters": {n: sum(p.numel() for p in m.parameters()) for n, m in models.items()},
            "milliseconds": milliseconds(times),
        }
    figures = {
        "threads": torch.get_num_threads(),
        "rounds": options.rounds,
        "versions": {name: version(name) for name in ("lambent", "normflows", "torch")},
        "models": rows,
    }
    write_json(options.out / "latency.json", figures)
    write_text(options.out / "latency.md", table(figures))
    print(table(figures))


if __name__ == "__main__":
    main()
