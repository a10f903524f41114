"""A family of vectors learns a density of two numbers, and is drawn beside its samples.

python examples/density.py nsf --data moons --out nsf.png
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch
from matplotlib.figure import Figure
from sklearn.datasets import make_circles, make_moons

import lambent
from lambent.core.registry import build, families
from lambent.files import replacing

ROWS = 10_000
BATCH = 256
SIDE = 2.4


def rows(name: str) -> torch.Tensor:
    """Rows of two numbers, each of mean 0 and deviation 1."""
    made = {"moons": make_moons, "circles": make_circles}[name](ROWS, noise=0.06, random_state=0)[0]
    x = torch.tensor(made, dtype=torch.float32)
    return (x - x.mean(0)) / x.std(0)


def train(flow: lambent.Flow, x: torch.Tensor, steps: int) -> float:
    """Maximum likelihood by Adam, at a rate that falls to nothing; mean nats at the end."""
    lambent.initialize(flow, x)
    flow.train()
    optimiser = torch.optim.Adam(flow.parameters(), 3e-3)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    for _ in range(steps):
        loss = -flow(x[torch.randint(len(x), (BATCH,))]).mean()
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(flow.parameters(), 10.0)
        optimiser.step()
        schedule.step()
    with torch.no_grad():
        return float(flow.eval()(x).mean())


def picture(flow: lambent.Flow, x: torch.Tensor) -> Figure:
    """The rows, the learned density, and draws from it."""
    line = torch.linspace(-SIDE, SIDE, 160)
    grid = torch.cartesian_prod(line, line)
    with torch.no_grad():
        density = flow.log_prob(grid).exp().reshape(160, 160).T
    figure = Figure(figsize=(9, 3), layout="constrained")
    places = figure.subplots(1, 3, sharex=True, sharey=True)
    extent = (-SIDE, SIDE, -SIDE, SIDE)
    for axes, points, title in (
        (places[0], x[:2000], "data"),
        (places[2], flow.sample(2000), "draws"),
    ):
        axes.scatter(*points.T, s=1, color="C0", linewidths=0)
        axes.set_title(title)
    places[1].imshow(density, origin="lower", extent=extent, cmap="magma")
    places[1].set_title("learned density")
    for axes in places:
        axes.set_xlim(-SIDE, SIDE)
        axes.set_ylim(-SIDE, SIDE)
        axes.set_aspect("equal")
        axes.set_xticks([])
        axes.set_yticks([])
    return figure


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("family", choices=sorted(set(families()) - {"glow", "joint"}))
    parser.add_argument("--data", choices=("moons", "circles"), default="moons")
    parser.add_argument("--steps", type=int, default=1500)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    torch.manual_seed(0)
    x = rows(options.data)
    flow = build(options.family, {"shape": [2]})
    nats = train(flow, x, options.steps)
    normal = torch.distributions.MultivariateNormal(x.mean(0), x.T.cov())
    print(
        f"{options.family}: {nats:.3f} nats a row; a normal {float(normal.log_prob(x).mean()):.3f}"
    )
    with replacing(options.out) as temporary:
        picture(flow, x).savefig(temporary, format="png", dpi=90)


if __name__ == "__main__":
    import lambent.flows

    main()
