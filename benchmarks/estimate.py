"""How far the estimated cost of a training step is from the cost of real ones.

    python benchmarks/estimate.py [--out benchmarks/results/estimate.json]

Each model is estimated in one fresh process and takes real steps in another, on one thread, in
turn for some rounds; of either the fastest round counts, which neighbours on the machine disturb
least. Memory is the peak resident set over that of the process before the model is built, a first
small step taken. Time is the median of a round's steps, in seconds of the processor: on one thread
those of the clock, but for what neighbours take.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import torch
from emit import emit

from lambent import GlowConfig, estimate_cost, glow

STEPS = 12
FIRST = 4  # steps that do not count: memory is still being found
MODELS: list[dict[str, Any]] = [
    *(
        {"width": width, "recompute": recompute, "batch": 16}
        for width in (64, 128)
        for recompute in ("never", "checkpoint", "inverse")
    ),
    {"width": 128, "recompute": "never", "batch": 64},
    {"width": 512, "recompute": "never", "batch": 16},
    {"width": 512, "recompute": "checkpoint", "batch": 16},
]


def config(model: dict[str, Any]) -> GlowConfig:
    return GlowConfig(
        shape=(3, 32, 32),
        grey_levels=256,
        levels=3,
        steps=4,
        width=model["width"],
        recompute=model["recompute"],
    )


def peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def resident_mib() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20


def real_step(flow: Any, optimizer: torch.optim.Optimizer, x: torch.Tensor) -> float:
    start = time.process_time()
    optimizer.zero_grad()
    flow.log_prob(x).mean().neg().backward()
    optimizer.step()
    return time.process_time() - start


def optimizer_of(flow: torch.nn.Module) -> torch.optim.Optimizer:
    return torch.optim.AdamW(flow.parameters(), lr=1e-4, fused=True)


def measured(model: dict[str, Any]) -> dict[str, float]:
    small = glow(GlowConfig(shape=(3, 8, 8), grey_levels=256, levels=1, steps=1, width=8))
    real_step(small, optimizer_of(small), torch.zeros(2, 3, 8, 8, dtype=torch.uint8))
    before = resident_mib()
    flow = glow(config(model))
    optimizer = optimizer_of(flow)
    x = torch.randint(0, 256, (model["batch"], 3, 32, 32), dtype=torch.uint8)
    seconds = [real_step(flow, optimizer, x) for _ in range(STEPS)]
    return {"memory_mib": peak_mib() - before, "seconds": statistics.median(seconds[FIRST:])}


def estimated(model: dict[str, Any]) -> dict[str, float]:
    with torch.device("meta"):
        flow = glow(config(model))
        x = torch.empty(model["batch"], 3, 32, 32, dtype=torch.uint8)
    cost = estimate_cost(flow, x)
    mib = 2**20
    return {
        "memory_mib": cost.memory_bytes / mib,
        "seconds": cost.seconds,
        "activation_mib": cost.activation_bytes / mib,
        "products_seconds": cost.flops / cost.rates.flops,
        "moving_seconds": cost.moved_bytes / cost.rates.bytes,
        "calling_seconds": cost.operations * cost.rates.overhead,
    }


def in_a_fresh_process(what: str, model: dict[str, Any]) -> dict[str, float]:
    done = subprocess.run(
        [sys.executable, __file__, "--alone", what, json.dumps(model)],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    found: dict[str, float] = json.loads(done.stdout)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--alone", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.alone:
        what, model = options.alone
        figures = {"measured": measured, "estimated": estimated}[what](json.loads(model))
        sys.stdout.write(json.dumps(figures))
        return
    rows = []
    for model in MODELS:
        rounds = [
            {what: in_a_fresh_process(what, model) for what in ("estimated", "measured")}
            for _ in range(options.rounds)
        ]
        found = {
            what: min((r[what] for r in rounds), key=lambda figures: figures["seconds"])
            for what in ("estimated", "measured")
        }
        ratios = {
            f"{name}_ratio": round(found["estimated"][name] / found["measured"][name], 3)
            for name in ("memory_mib", "seconds")
        }
        figures = {
            what: {k: round(v, 4) for k, v in values.items()} for what, values in found.items()
        }
        rows.append({**model, **figures, **ratios})
    ratios = {
        name: {"least": min(row[name] for row in rows), "most": max(row[name] for row in rows)}
        for name in ("memory_mib_ratio", "seconds_ratio")
    }
    facts = {"threads": 1, "steps_per_level": 4, "levels": 3, "rounds": options.rounds}
    emit({**facts, "rows": rows, **ratios}, options.out)


if __name__ == "__main__":
    main()
