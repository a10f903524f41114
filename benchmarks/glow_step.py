"""Glow on the CPU beside normflows: training step, likelihood, sampling, memory.

Times come from one process in which the competitors take turns, a round after another, the first
dropped; beside them run plain matrix products of the same sizes, the ceiling. Memory comes from a
fresh process each. Sections not asked for keep what the JSON has of them.

    python benchmarks/glow_step.py [--only train,log_prob,sample,memory,large] [--k 4,16,32]
        [--width 128,512] [--rounds 8] [--out docs/benchmarks]
"""

from __future__ import annotations

import argparse
import gc
import json
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import torch
from ceiling import Ceiling, conditioner_flops
from competitors import IN_BACKWARD, competitor
from emit import write_json, write_text
from glow_step_report import ratios, table
from rounds import in_turn, milliseconds

HERE = Path(__file__).parent
SHAPE, LEVELS, BATCH = (3, 32, 32), 3, 16
TRAIN = ["ours", "ours_checkpoint", "ours_inverse", "ours_bias"]
FORWARD = ["ours", "ours_bias"]
PEERS = ["normflows", "normflows_channels_last"]
SECTIONS = {"train": TRAIN + PEERS, "log_prob": FORWARD + PEERS, "sample": FORWARD + PEERS}
IN_MEMORY = ["normflows", "ours", "ours_checkpoint", "ours_inverse"]


def timed(
    sections: list[str], width: int, k: int, rounds: int
) -> tuple[dict[str, dict], dict[str, object]]:
    """Times of each section by competitor, and the ceiling with everyone's share of it."""
    names = dict.fromkeys(name for section in sections for name in SECTIONS[section])
    made = {name: competitor(name, steps=k, width=width, batch=BATCH) for name in names}
    ceiling = Ceiling(SHAPE, LEVELS, width, BATCH)
    times = {}
    for section in sections:
        tasks = {name: getattr(made[name], section) for name in SECTIONS[section]}
        seconds = in_turn({**tasks, "ceiling": ceiling}, rounds)
        times[section] = milliseconds({name: seconds[name] for name in tasks})
        print(f"{section}, width {width}, K {k}: {json.dumps(times[section])}", flush=True)
    figures = ceiling.figures()
    flops = conditioner_flops(SHAPE, LEVELS, k, width, BATCH)
    figures["forward_gflop"] = round(flops / 1e9, 2)
    if "train" in times:
        reached = {n: 3 * flops / t["best"] / 1e6 for n, t in times["train"].items()}
        figures["share_of_ceiling"] = {
            name: round(rate / figures["gflops"], 3) for name, rate in reached.items()
        }
    return times, figures


def fresh(script: str, *arguments: object) -> dict:
    """The JSON that a script prints, run in a process of its own; its exit status if it fails."""
    command = [sys.executable, "-W", "ignore", str(HERE / script), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    print(f"{script} {' '.join(map(str, arguments))}: {done.stdout.strip()}", flush=True)
    if done.returncode != 0:
        sys.stderr.write(done.stderr[-2000:])
        return {"failed_with": done.returncode}
    return json.loads(done.stdout.splitlines()[-1])


def memory(width: int, ks: list[int]) -> dict[str, dict]:
    """Figures by setting and competitor, and how much a step more at every level adds."""
    figures: dict[str, dict] = {}
    for k in ks:
        rows = figures.setdefault(f"h{width}_k{k}", {})
        for name in [*IN_MEMORY, IN_BACKWARD]:
            sizes = ("--steps", k, "--width", width, "--batch", BATCH)
            row = fresh("glow_memory.py", name, "pass", *sizes) if name in IN_MEMORY else {}
            row |= fresh("glow_memory.py", name, "step", *sizes)
            rows[name] = {key: row[key] for key in row if key not in ("seconds", "threads")}
    low, high = figures[f"h{width}_k{min(ks)}"], figures[f"h{width}_k{max(ks)}"]
    if min(ks) < max(ks):
        figures[f"h{width}_per_k"] = {
            name: {
                kind: round((high[name][kind] - low[name][kind]) / (max(ks) - min(ks)), 2)
                for kind in ("kept_by_forward", "activations", "activations_resident")
                if kind in low[name] and kind in high[name]
            }
            for name in IN_MEMORY
        }
    return figures


def large(k: int) -> dict[str, dict]:
    """Activations at 128 pixels, and training steps of the CelebA-HQ preset at 256."""
    sizes = ("--side", 128, "--levels", 5, "--steps", k, "--width", 512, "--batch", 8)
    depth = () if k == 32 else ("--depth", k)
    return {
        f"side128_l5_k{k}_b8": {
            name: fresh("glow_memory.py", name, "pass", *sizes)
            for name in ("ours_checkpoint", "ours_inverse")
        },
        f"celebahq256_k{k}_b1": {
            recompute: fresh("glow_large.py", recompute, *depth)
            for recompute in ("inverse", "never")
        },
    }


def numbers(text: str) -> list[int]:
    return [int(part) for part in text.split(",")]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    every = [*SECTIONS, "memory", "large"]
    parser.add_argument("--only", type=lambda text: text.split(","), default=every)
    parser.add_argument("--k", type=numbers, default=[4, 16, 32])
    parser.add_argument("--width", type=numbers, default=[128, 512])
    parser.add_argument("--rounds", type=int, default=8, help="rounds that count")
    parser.add_argument("--out", type=Path, default=Path("docs/benchmarks"))
    options = parser.parse_args()
    if unknown := set(options.only) - set(every):
        parser.error(f"--only: expected some of {', '.join(every)}, got {', '.join(unknown)}")
    path = options.out / "glow_step.json"
    result = json.loads(path.read_text()) if path.exists() else {}
    result |= {"versions": {name: version(name) for name in ("lambent", "normflows", "torch")}}
    sections = [name for name in SECTIONS if name in options.only]
    times = result.setdefault("times_ms", {})
    if sections:
        fewest = min(options.rounds, result.get("rounds", options.rounds))
        result |= {"threads": torch.get_num_threads(), "rounds": fewest}
        for k in options.k:
            for width in options.width:
                measured, ceiling = timed(sections, width, k, options.rounds)
                for section, figures in measured.items():
                    times.setdefault(section, {})[f"h{width}_k{k}"] = figures
                if "train" in sections:
                    result.setdefault("ceiling", {})[f"h{width}_k{k}"] = ceiling
                write_json(path, result)  # a long run: nothing measured is lost
                gc.collect()
    if "memory" in options.only:
        result["memory_mib"] = memory(max(options.width), options.k)
    if "large" in options.only:
        result["large_mib"] = large(max(options.k))
    result["ratios"] = ratios(times)
    write_json(path, result)
    write_text(options.out / "glow_step.md", table(result))


if __name__ == "__main__":
    main()
