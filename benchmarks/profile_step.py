"""Where the time of a training step of Glow goes on the fast path, piece by piece.

    python benchmarks/profile_step.py [--steps 16] [--width 128,512] [--out docs/benchmarks]

The pieces are timed where they are called, in one process; products that are part of a piece are
timed with it. Writes ``profile_step.json`` and a table.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from ceiling import Ceiling, conditioner_flops
from competitors import competitor
from emit import write_json, write_text

from lambent.nn import wide
from lambent.transforms import fused_steps, glow_level

SHAPE, LEVELS, BATCH, ROUNDS = (3, 32, 32), 3, 16, 8
PIECES = {  # name in the module: (module, what it is)
    "hidden_layers": (wide, "hidden layers, forward: two of three products"),
    "hidden_layers_vjp": (wide, "hidden layers, backward: all six products"),
    "gather_taps": (wide, "gathering 3x3 windows"),
    "scatter_taps": (wide, "scattering them"),
    "fold": (wide, "folding norms and scales into the matrices"),
    "unfold": (wide, "their gradients"),
    "_mixing": (fused_steps, "actnorms and mixes of a level made into matrices, forward"),
    "forward": (wide, "network, forward"),
    "backward": (wide, "network, backward"),
    "elementwise_vjp": (fused_steps, "elementwise map, backward"),
    "run_steps": (glow_level, "steps, forward"),
}


def timed(seconds: Counter[str], name: str, piece: Callable[..., Any]) -> Callable[..., Any]:
    """A function that adds its time to an account."""

    def run(*arguments: Any, **named: Any) -> Any:
        start = time.perf_counter()
        try:
            return piece(*arguments, **named)
        finally:
            seconds[name] += time.perf_counter() - start

    return run


def profile(width: int, steps: int) -> dict[str, float]:
    """Milliseconds of a training step, whole and by piece."""
    ours = competitor("ours", steps=steps, width=width, batch=BATCH)
    ceiling = Ceiling(SHAPE, LEVELS, width, BATCH)
    seconds: Counter[str] = Counter()
    originals = {name: getattr(module, name) for name, (module, _) in PIECES.items()}
    for name, (module, _) in PIECES.items():
        setattr(module, name, timed(seconds, name, originals[name]))
    try:
        for _ in range(2):
            ours.train()
            ceiling()
        seconds.clear()
        start = time.perf_counter()
        for _ in range(ROUNDS):
            ours.train()
        seconds["whole step"] = time.perf_counter() - start
        for _ in range(ROUNDS):
            ceiling()
    finally:
        for name, (module, _) in PIECES.items():
            setattr(module, name, originals[name])
    figures = {name: round(1e3 * total / ROUNDS, 1) for name, total in seconds.most_common()}
    flops = 3 * conditioner_flops(SHAPE, LEVELS, steps, width, BATCH)
    figures["products alone, at the ceiling"] = round(flops / ceiling.figures()["gflops"] / 1e6, 1)
    return figures


def table(rows: dict[str, dict[str, float]]) -> str:
    """The page."""
    lines = [
        "# Where a training step goes",
        "",
        "Milliseconds of one training step, 3x32x32, three levels, batch 16, on the fast path, by "
        "piece. Pieces lie in each other: the network holds its hidden layers.",
        "",
        f"| piece | {' | '.join(rows)} |",
        f"|---|{'---|' * len(rows)}",
    ]
    names = dict.fromkeys(name for row in rows.values() for name in row)
    for name in names:
        about = PIECES[name][1] if name in PIECES else name
        lines.append(f"| {about} | {' | '.join(str(row.get(name, '')) for row in rows.values())} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=16)
    parser.add_argument("--width", default="128,512")
    parser.add_argument("--out", type=Path, default=Path("docs/benchmarks"))
    options = parser.parse_args()
    rows = {
        f"K {options.steps}, width {width}": profile(int(width), options.steps)
        for width in options.width.split(",")
    }
    write_json(options.out / "profile_step.json", {"threads": torch.get_num_threads(), **rows})
    write_text(options.out / "profile_step.md", table(rows))


if __name__ == "__main__":
    main()
