"""Joint flows of points of the plane: crescents, seven shapes, sectors of a disc.

    python examples/joint_toys.py --out pictures [--only crescents] [--steps 500]

Each picture shows the condition that comes out against the one that went in, draws given the
condition, and the latents of held-out points, which should be one normal for every condition.
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import matplotlib.pyplot as plt
import torch
from matplotlib.axes import Axes
from torch import Tensor

from lambent import Flow, JointConfig, conditional_log_prob, joint, joint_sample, rule_error, seeded
from lambent.data import SHAPES, crescents, sectors, seven_shapes
from lambent.files import replacing
from lambent.train import train_on_draws


class Toy(NamedTuple):
    """A distribution of points given a condition, and a flow for it."""

    points: Callable[[Tensor], Tensor]
    conditions: Callable[[int], Tensor]
    shown: Tensor
    config: JointConfig
    steps: int


def labels_of(classes: int) -> Callable[[int], Tensor]:
    return lambda n: torch.randint(classes, (n,))


def angles(n: int) -> Tensor:
    return 2 * math.pi * torch.rand(n, 1)


TOYS = {
    "crescents": Toy(
        crescents,
        labels_of(2),
        torch.arange(2),
        JointConfig(shape=(2,), conditioning="label", classes=2, couplings=18, width=32),
        2000,
    ),
    "shapes": Toy(
        seven_shapes,
        labels_of(len(SHAPES)),
        torch.arange(len(SHAPES)),
        JointConfig(shape=(2,), conditioning="label", classes=7, couplings=24, width=64),
        4000,
    ),
    "sectors": Toy(
        sectors,
        angles,
        2 * math.pi * torch.arange(16)[:, None] / 16,
        JointConfig(shape=(2,), context_features=1, couplings=24, width=32),
        10000,
    ),
}


def in_sector(x: Tensor, angle: float) -> float:
    """The share of points within the sector, 0.05 rad allowed on either side."""
    off = torch.remainder(torch.atan2(x[:, 1], x[:, 0]) - angle + math.pi, 2 * math.pi) - math.pi
    return float((off.abs() <= 0.55).float().mean())


def figures(name: str, toy: Toy, flow: Flow) -> dict:
    with seeded(1):
        y = toy.conditions(4000)
        x = toy.points(y)
        drawn = joint_sample(flow, toy.shown, 500)
    found = {
        "parameters": sum(p.numel() for p in flow.parameters() if p.requires_grad),
        "conditional_nll": -float(conditional_log_prob(flow, x, y).detach().mean()),
        "rule_error": float(rule_error(flow, x, y).mean()),
        "condition_error_of_draws": float(drawn.condition_error.mean()),
    }
    if name == "sectors":
        each = drawn.x.reshape(16, 500, 2)
        inside = [in_sector(each[i], float(a)) for i, a in enumerate(toy.shown)]
        found["inside_least"], found["inside_mean"] = min(inside), sum(inside) / 16
    return found


def picture(toy: Toy, flow: Flow, path: Path) -> None:
    with seeded(2):
        y = toy.conditions(2000)
        x = toy.points(y)
        drawn = flow.sample(400, toy.shown).reshape(len(toy.shown), 400, 2)
    asked = flow.encode_context(y)
    latent = flow.encode(x, y)
    figure, axes = plt.subplots(1, 3, figsize=(12, 4), layout="constrained")
    axes[0].plot(asked[:, 0].numpy(), latent[:, 2].numpy(), ".", markersize=2)
    axes[0].set(title="condition out against in", xlabel="y'", ylabel="f_Y(x, y')")
    colours = plt.get_cmap("hsv" if toy.config.context_features else "tab10")
    shown = len(toy.shown)
    for i, points in enumerate(drawn):
        spread = toy.config.classes is None or shown <= 2
        shift = torch.zeros(2) if spread else torch.tensor([2.8 * (i % 4), -2.8 * (i // 4)])
        colour = colours(i / shown) if toy.config.classes is None else colours(i)
        axes[1].plot(*(points + shift).T.numpy(), ".", markersize=1.5, color=colour)
    axes[1].set(title="draws given the condition", aspect="equal")
    latents(axes[2], toy, latent, y, colours)
    with replacing(path) as temporary:
        figure.savefig(temporary, dpi=70, format="png")
    plt.close(figure)


def latents(axes: Axes, toy: Toy, latent: Tensor, y: Tensor, colours: Callable) -> None:
    """The latents of held-out points, in the colour of their condition."""
    colour = colours((y[:, 0] / (2 * math.pi) if y.ndim == 2 else y).numpy())
    axes.scatter(*latent[:, :2].T.numpy(), s=2, c=colour)
    axes.set(title="latents of held-out points", aspect="equal", xlim=(-4, 4), ylim=(-4, 4))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--only", choices=TOYS)
    parser.add_argument("--steps", type=int, help="in place of each toy's own")
    options = parser.parse_args()
    torch.set_num_threads(1)
    options.out.mkdir(parents=True, exist_ok=True)
    for name, toy in TOYS.items():
        if options.only not in (None, name):
            continue
        with seeded(0):
            flow = joint(toy.config)

            def draw(n: int, toy: Toy = toy) -> tuple[Tensor, Tensor]:
                y = toy.conditions(n)
                return toy.points(y), y

            steps = options.steps or toy.steps
            train_on_draws(flow, draw, steps=steps, anneal_steps=steps // 20)
        print(json.dumps({"toy": name, "steps": steps, **figures(name, toy, flow)}), flush=True)
        picture(toy, flow, options.out / f"joint-{name}.png")


if __name__ == "__main__":
    main()
