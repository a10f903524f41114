"""Flows of vectors beside zuko, nflows and normflows: training steps, densities, draws.

    python benchmarks/tabular.py [--rounds 7] [--only nsf:43:512 ...] [--compiled] [--out FOLDER]

Every cell is a family, a number of features and a batch; in each, all packages take turns. What is
measured is processor time of one thread, so that other work on the machine counts for little.
Cells measured before stay in the JSON file until they are measured again.
"""

from __future__ import annotations

import argparse
import gc
import json
import statistics
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch
from emit import write_json, write_text
from tabular_models import MODELS
from tabular_report import page

LAYERS, WIDTH, BINS = 8, 256, 8
FAMILIES = ("maf", "nsf", "nsf_coupling")
FEATURES, BATCHES = (6, 21, 43), (512, 8192)
SLOW = 10.0  # seconds of one pass, from which on it is taken once


def tasks(
    family: str, features: int, batch: int, names: list[str], *, compiled: bool
) -> tuple[dict[str, dict[str, Callable[[], Any]]], dict[str, int]]:
    """What to run, by what it measures and by package, and the parameters of each model."""
    x = torch.randn(batch, features)
    found: dict[str, dict[str, Callable[[], Any]]] = {"train": {}, "log_prob": {}, "sample": {}}
    sizes = {}
    for name in names:
        model = MODELS[name](family, features, LAYERS, WIDTH, BINS)
        with torch.no_grad():  # away from zeros, at which some start
            for parameter in model.parameters():
                parameter.add_(0.01 * torch.randn_like(parameter))
        sizes[name] = sum(p.numel() for p in model.parameters())
        density = torch.compile(model) if compiled else model
        adam = torch.optim.Adam(model.parameters(), lr=1e-4, fused=True)

        def train(density: Any = density, adam: Any = adam) -> None:
            adam.zero_grad()
            (-density(x).mean()).backward()
            adam.step()

        found["train"][name] = train
        found["log_prob"][name] = torch.no_grad()(lambda density=density: density(x))
        if batch == min(BATCHES) and not compiled:
            found["sample"][name] = torch.no_grad()(lambda model=model: model.draw(batch))
    return found, sizes


def in_turn(runs: dict[str, Callable[[], Any]], rounds: int) -> dict[str, list[float]]:
    """Processor seconds of each in each round; one round, not counted, warms up what is quick."""
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    slow: set[str] = set()
    for i in range(rounds + 1):
        for name, run in runs.items():
            if name in slow:
                continue
            gc.collect()
            start = time.process_time()
            run()
            seconds[name].append(time.process_time() - start)
            if i == 0 and seconds[name][0] > SLOW:
                slow.add(name)
    return {name: values if name in slow else values[1:] for name, values in seconds.items()}


def figures(seconds: dict[str, list[float]]) -> dict[str, Any]:
    """Medians in milliseconds, rounds, and how many times as long the fastest other takes."""
    medians = {name: round(1e3 * statistics.median(s), 2) for name, s in seconds.items() if s}
    best = {name: round(1e3 * min(s), 2) for name, s in seconds.items() if s}
    others = [name for name in medians if name != "ours"]
    ratios = {}
    if others and "ours" in medians:
        fastest = min(others, key=lambda name: medians[name])
        of_bests = min(best[name] for name in others) / best["ours"]
        ratios = {
            "fastest": fastest,
            "ratio": round(medians[fastest] / medians["ours"], 2),
            "ratio_of_bests": round(of_bests, 2),
        }
    rounds = {name: len(s) for name, s in seconds.items()}
    return {"median_ms": medians, "best_ms": best, "rounds": rounds, **ratios}


def cells(only: list[str]) -> Iterator[tuple[str, int, int]]:
    """Cells to measure, all of them or those named."""
    for family in FAMILIES:
        for features in FEATURES:
            for batch in BATCHES:
                if not only or f"{family}:{features}:{batch}" in only:
                    yield family, features, batch


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--only", nargs="*", default=[], help="FAMILY:FEATURES:BATCH")
    parser.add_argument("--packages", nargs="*", default=list(MODELS))
    parser.add_argument("--compiled", action="store_true", help="densities through torch.compile")
    parser.add_argument("--out", type=Path, default=Path("docs/benchmarks"))
    options = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    warnings.simplefilter("ignore")
    path = options.out / "tabular.json"
    whole: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
    whole |= {
        "threads": 1,
        "layers": LAYERS,
        "width": WIDTH,
        "bins": BINS,
        "torch": torch.__version__,
    }
    measured = whole.setdefault("compiled" if options.compiled else "eager", {})
    for family, features, batch in cells(options.only):
        runs, sizes = tasks(family, features, batch, options.packages, compiled=options.compiled)
        if options.compiled:  # the first calls compile; their time is not a pass's
            for run in (run for of_task in runs.values() for run in of_task.values()):
                run()
        cell: dict[str, Any] = {"parameters": sizes}
        for what, by_package in runs.items():
            if by_package:
                cell[what] = figures(in_turn(by_package, options.rounds))
        measured[f"{family}:{features}:{batch}"] = cell
        print(family, features, batch, json.dumps(cell), flush=True)
        options.out.mkdir(parents=True, exist_ok=True)
        write_json(path, whole)
    write_text(options.out / "tabular.md", page(whole))


if __name__ == "__main__":
    main()
