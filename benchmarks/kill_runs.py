"""Kill a training run again and again while it saves after every step; then compare its weights.

    python benchmarks/kill_runs.py [--kills 100] [--seed 0] [--out docs/benchmarks]

Each time the run is resumed, left for a random while, and killed by SIGKILL, a third of the times
while it starts and else after its first step; its newest checkpoint has to load and to be no older
than the one before. At the end the run is resumed once more, and
must hold to the bit the weights and moments of a run of as many steps that was never killed.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import random
import signal
import tempfile
import time
from multiprocessing.process import BaseProcess
from pathlib import Path

import lightning.pytorch  # noqa: F401 - imported once here, before the runs are forked off
import torch
from emit import write_json, write_text
from rich.progress import track

import lambent.train.fitting  # noqa: F401
from lambent.cli import main

TINY = (
    "--data digits --model glow --model.levels 1 --model.steps 2 --model.width 8 "
    "--train.batch_size 16 --train.validation_images 16 --train.validate_every 1 "
    "--train.patience null --train.average_after 20 --train.shift 0.2 --train.loggers []"
)
LONGEST = 1.5
"""Seconds a run is left alone at most, from its start or from its first step on."""


def train(out: Path, steps: int, *more: str) -> None:
    """What a process of its own does."""
    with Path(os.devnull).open("w") as quiet:
        os.dup2(quiet.fileno(), 2)
        os.dup2(quiet.fileno(), 1)
    raise SystemExit(
        main(["train", *TINY.split(), "--out", str(out), f"--train.max_steps={steps}", *more])
    )


def start(out: Path, steps: int, *more: str) -> BaseProcess:
    process = multiprocessing.get_context("fork").Process(target=train, args=(out, steps, *more))
    process.start()
    return process


def steps_of(out: Path) -> int:
    """The step of the newest checkpoint; it has to load."""
    last = out / "checkpoints/last.ckpt"
    return int(torch.load(last, weights_only=True)["global_step"]) if last.is_file() else 0


def kill_once(out: Path, wait: float, *, at_work: bool) -> str:
    """Go on with the run, and kill it ``wait`` seconds later; let it write first if ``at_work``."""
    last = out / "checkpoints/last.ckpt"
    before = last.stat().st_mtime_ns if last.is_file() else 0
    process = start(out, 10**6, *(["--resume"] if (out / "config.yaml").is_file() else []))
    deadline = time.monotonic() + 120
    while at_work and (not last.is_file() or last.stat().st_mtime_ns == before):
        if not process.is_alive() or time.monotonic() > deadline:
            raise SystemExit(f"the run in {out} did not go on: exit code {process.exitcode}")
        time.sleep(0.002)
    time.sleep(wait)
    process.kill()
    process.join()
    assert process.exitcode == -signal.SIGKILL, process.exitcode
    left = [p.name.split(".")[1].split("-")[0] for p in out.rglob(".*.part*")]
    return {"step": "samples"}.get(left[0], left[0]) if left else "between files"


def states(out: Path) -> dict[str, torch.Tensor]:
    """Weights, their average and the moments of the newest checkpoint."""
    checkpoint = torch.load(out / "checkpoints/last.ckpt", weights_only=True)
    found = {f"average.{k}": v for k, v in checkpoint["state_dict"].items()}
    found |= {f"weight.{k}": v for k, v in checkpoint["current_model_state"].items()}
    for index, moments in checkpoint["optimizer_states"][0]["state"].items():
        found |= {f"{name}.{index}": value for name, value in moments.items()}
    return found


def main_() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("docs/benchmarks"))
    options = parser.parse_args()
    chance = random.Random(options.seed)
    while_writing: dict[str, int] = {}
    steps = [0]
    with tempfile.TemporaryDirectory() as folder:
        killed, whole = Path(folder) / "killed", Path(folder) / "whole"
        for _ in track(range(options.kills), "kills"):
            where = kill_once(killed, chance.uniform(0, LONGEST), at_work=chance.random() > 1 / 3)
            while_writing[where] = while_writing.get(where, 0) + 1
            steps.append(steps_of(killed))
            assert steps[-1] >= steps[-2], steps[-2:]
        goal = steps[-1] + 5
        for out, more in ((killed, ["--resume"]), (whole, [])):
            process = start(out, goal, *more)
            process.join()
            assert process.exitcode == 0, (out, process.exitcode)
        one, other = states(killed), states(whole)
        equal = one.keys() == other.keys() and all(torch.equal(v, other[k]) for k, v in one.items())
    figures = {
        "kills": options.kills,
        "seed": options.seed,
        "resumed": len(steps) - 1,
        "steps": goal,
        "tensors": len(one),
        "equal_to_the_bit": equal,
        "killed_while_writing": dict(sorted(while_writing.items(), key=lambda item: -item[1])),
    }
    write_json(options.out / "kill_runs.json", figures)
    write_text(options.out / "kill_runs.md", page(figures))
    assert equal


def page(figures: dict) -> str:
    where = figures["killed_while_writing"]
    rows = [f"| `{name}` | {count} |" for name, count in where.items() if name != "between files"]
    return "\n".join(
        [
            "# Killed runs",
            "",
            f"A small Glow of digits, saved after every step, was killed by SIGKILL "
            f"{figures['kills']} times at random moments, and resumed {figures['resumed']} times. "
            f"After {figures['steps']:,} steps its weights, their average and the optimiser's "
            f"moments ({figures['tensors']} tensors) are equal to the bit to those of a run that "
            f"was never killed: {'yes' if figures['equal_to_the_bit'] else 'NO'}.",
            "",
            "What was being written at that moment, by the half-written file that was left (and "
            "swept out by the resumed run):",
            "",
            "| file | kills |",
            "|---|---|",
            *rows,
            f"| between files | {where.get('between files', 0)} |",
            "",
            "`python benchmarks/kill_runs.py` measures this again.",
            "",
        ]
    )


if __name__ == "__main__":
    main_()
