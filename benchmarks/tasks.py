"""Image-to-image Glows against the same Glow without inputs, and against shuffled inputs.

python benchmarks/tasks.py --mnist DIR --cifar10 DIR --runs DIR [--steps 700] [--only NAME ...]

DIR holds the sets with their own test splits. Every arm trains for the same number of steps;
an arm whose run is there already is only measured. Pictures go to docs/assets.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch
from emit import emit

import lambent
from lambent.cli import main as command
from lambent.core import Flow
from lambent.core.context import context_of
from lambent.data import DataConfig, EventSet, load_images, task_named
from lambent.evaluate import measure, psnr_of
from lambent.store import RunFolder

IMAGES = 1000
"""Test images measured, the first."""

DRAWN = 256
"""Test images drawn for."""

SIZES = {"mnist": {"levels": 1, "steps": 8}, "cifar10": {"levels": 2, "steps": 4}}
TASKS = {
    "superres": ("mnist", "superres:4"),
    "inpaint": ("mnist", "inpaint:12"),
    "colourise": ("cifar10", "colourise"),
}


def train(run: Path, data: str, steps: int, sizes: dict[str, int], task: str | None) -> None:
    """Train an arm with the command line, unless it is there."""
    if RunFolder(run).config.exists():
        return
    settings = {
        **{f"model.{name}": value for name, value in sizes.items()},
        "model.first_squeeze": 4,
        "model.width": 64,
        "train.batch_size": 32,
        "train.max_steps": steps,
        "train.validate_every": 200,
        "train.validation_images": 500,
        "train.ema_decay": 0.995,
    }
    asked = ["train", "--model=glow", f"--data={data}", f"--out={run}", "--device=cpu"]
    if task is not None:
        asked += [f"--task={task}", "--model.context_features=16"]
    if command([*asked, *(f"--{name}={value}" for name, value in settings.items())]):
        raise SystemExit(f"training {run} failed")


def shuffled_bits(flow: Flow, images: EventSet) -> float:
    """Bits per dimension where each image is judged given the input of the one before it."""
    x, y = images[:]
    with lambent.seeded(0), torch.no_grad():
        context = context_of(flow, x, y).roll(1, 0)
        parts = zip(x.split(100), context.split(100), strict=True)
        nats = torch.cat([flow.log_prob(*part) for part in parts])
    return float(-nats.double().mean() / (x[0].numel() * torch.tensor(2.0).log()))


@torch.no_grad()
def consistency(flow: Flow, images: EventSet, name: str) -> float:
    """Of one draw for each input, in decibels; the draws of a flow without inputs ignore them."""
    task, x = task_named(name), images[:DRAWN][0]
    with lambent.seeded(0):
        given = task.context(x)
        drawn = flow.sample(len(x)) if flow.context_encoder is None else flow.sample(None, given)
    return psnr_of(task.misfit(drawn, given))


def figures_of(run: Path, images: EventSet, name: str, *, conditional: bool) -> dict:
    """What is measured of an arm."""
    flow = lambent.load(run).eval()
    found = measure(flow, images, batch_size=100)
    figures = {
        "parameters": sum(p.numel() for p in flow.parameters()),
        "bits_per_dim": found.bits_per_dim,
        "standard_error": found.standard_error,
        "consistency_psnr": consistency(flow, images, name),
    }
    return figures | ({"shuffled_bits_per_dim": shuffled_bits(flow, images)} if conditional else {})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--mnist", required=True)
    parser.add_argument("--cifar10", required=True)
    parser.add_argument("--runs", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=700)
    parser.add_argument("--only", nargs="+", choices=TASKS, default=list(TASKS))
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results/tasks.json"))
    options = parser.parse_args()
    torch.set_num_threads(1)
    result: dict = {"steps": options.steps, "images": IMAGES, "drawn": DRAWN, "tasks": {}}
    for name in options.only:
        set_name, task = TASKS[name]
        data, sizes = getattr(options, set_name), SIZES[set_name]
        run, plain = options.runs / name, options.runs / f"{set_name}-plain"
        train(run, data, options.steps, sizes, task)
        train(plain, data, options.steps, sizes, None)
        images = load_images(data, DataConfig(split="test")).subset(slice(IMAGES))
        result["tasks"][name] = {
            "task": task,
            "data": set_name,
            "given": figures_of(run, images, task, conditional=True),
            "without": figures_of(plain, images, task, conditional=False),
        }
        picture = f"docs/assets/task-{name}.png"
        command(["sample", str(run), "--data-split=test", "--n=5", f"--out={picture}"])
        emit(result, options.out)


if __name__ == "__main__":
    main()
