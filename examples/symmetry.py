"""A symmetric density learned by a plain flow, and by two that take absolute values first.

    python examples/symmetry.py --out symmetry.png [--steps 50]

All have the same couplings; signs are fair, or have a law of their own given the absolute values.
What is printed is how many nats each falls short of the true density, on points that were not
trained on.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import torch
from matplotlib.figure import Figure
from torch import Tensor

from lambent import Flow, seeded
from lambent.core import Compose, Transform
from lambent.distributions import Bernoulli, StandardNormal
from lambent.files import replacing
from lambent.nn import MLP
from lambent.train import train_on_draws
from lambent.transforms import Abs, ActNorm, Affine, Coupling, Permute, Softplus

SIDE = 3.5
POINTS = 20_000


class Toy(NamedTuple):
    """A density whose shape no change of sign changes, and draws of it."""

    draw: Callable[[int], Tensor]
    log_prob: Callable[[Tensor], Tensor]

    def batch(self, n: int) -> tuple[Tensor, None]:
        """Draws, without a context."""
        return self.draw(n), None


def blobs(centres: Tensor, std: float, weights: Tensor | None = None) -> Toy:
    """Round normals of equal scale, and of equal weight if none are given."""
    shares = torch.ones(len(centres)) / len(centres) if weights is None else weights

    def draw(n: int) -> Tensor:
        which = torch.randint(len(centres), (n,))
        if weights is not None:
            which = torch.multinomial(weights, n, replacement=True)
        return centres[which] + std * torch.randn(n, 2)

    def log_prob(x: Tensor) -> Tensor:
        far = (x[:, None] - centres).square().sum(2) / std**2
        return (shares.log() - 0.5 * far).logsumexp(1) - math.log(2 * math.pi * std**2)

    return Toy(draw, log_prob)


def board() -> Toy:
    """Every other square of side 1, mirrored at both axes; 20 squares in all."""
    squares = [(i, j) for i in range(3) for j in range(3) if (i + j) % 2 == 0]

    def draw(n: int) -> Tensor:
        corner = torch.tensor(squares)[torch.randint(len(squares), (n,))]
        return (corner + torch.rand(n, 2)) * (2 * torch.randint(2, (n, 2)) - 1)

    def log_prob(x: Tensor) -> Tensor:
        return torch.full((len(x),), -math.log(4 * len(squares)))

    return Toy(draw, log_prob)


def toys() -> dict[str, Toy]:
    signs = torch.cartesian_prod(torch.tensor([-1.5, 1.5]), torch.tensor([-1.5, 1.5]))
    turn = math.pi * (torch.arange(8) / 4 + 1 / 8)
    ring = 2.2 * torch.stack((turn.cos(), turn.sin()), 1)
    return {
        "four normals": blobs(signs, 0.3),
        "unequal normals": blobs(signs, 0.3, torch.tensor([0.4, 0.3, 0.2, 0.1])),
        "eight normals": blobs(ring, 0.25),
        "board": board(),
    }


def starts() -> dict[str, list[Transform]]:
    """What each flow begins with."""
    learned = Abs(Bernoulli((2,), MLP(2, 2, width=16, layers=1)))
    return {
        "plain": [],
        "fair signs": [Abs(), Softplus().inv],
        "learned signs": [learned, Softplus().inv],
    }


def flow_of(start: list[Transform], *, couplings: int = 6, width: int = 32) -> Flow:
    """Couplings in turns, after what the flow starts with."""
    steps: list[Transform] = [*start]
    for _ in range(couplings):
        steps += [ActNorm(2), Coupling(MLP(1, 2, width=width), Affine()), Permute.reverse(2)]
    return Flow(Compose(*steps, ActNorm(2)), StandardNormal((2,)))


def picture(rows: dict[str, list[Tensor]]) -> Figure:
    """The densities, one row a toy: true draws, then what each flow learned."""
    figure = Figure(figsize=(12, 3 * len(rows)), layout="constrained")
    places = figure.subplots(len(rows), 4, squeeze=False)
    titles = ("data", *starts())
    for line, (name, (points, *densities)) in zip(places, rows.items(), strict=True):
        line[0].scatter(*points.T.numpy(), s=1, color="C0", linewidths=0)
        line[0].set_ylabel(name)
        for axes, density in zip(line[1:], densities, strict=True):
            axes.imshow(
                density.T.numpy(), origin="lower", extent=(-SIDE, SIDE, -SIDE, SIDE), cmap="magma"
            )
        for axes, title in zip(line, titles, strict=True):
            axes.set(title=title, xlim=(-SIDE, SIDE), ylim=(-SIDE, SIDE), xticks=[], yticks=[])
            axes.set_aspect("equal")
    return figure


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=2000)
    options = parser.parse_args()
    side = 200
    axis = SIDE * (2 * (torch.arange(side) + 0.5) / side - 1)
    grid = torch.cartesian_prod(axis, axis)
    rows: dict[str, list[Tensor]] = {}
    for name, toy in toys().items():
        with seeded(0):
            held_out = toy.draw(POINTS)
        rows[name], said = [held_out[:2000]], []
        for kind in starts():
            with seeded(1):
                flow = flow_of(starts()[kind])
                train_on_draws(flow, toy.batch, steps=options.steps)
            with torch.no_grad():
                short = (toy.log_prob(held_out) - flow.log_prob(held_out)).mean()
                rows[name].append(flow.log_prob(grid).exp().reshape(side, side))
            count = sum(p.numel() for p in flow.parameters())
            said.append(f"{kind} {short:.3f} ({count} parameters)")
        print(f"{name}: nats short of the truth: {', '.join(said)}", flush=True)
    with replacing(options.out) as temporary:
        picture(rows).savefig(temporary, format="png", dpi=80)


if __name__ == "__main__":
    main()
