"""An IAF becomes a sampler of a density that is known up to a factor, and tells the factor."""

from __future__ import annotations

import argparse
import math
import sys
from pathlib import Path

import torch
from matplotlib.figure import Figure
from torch import Tensor

import lambent
from lambent.files import replacing

EDGE = 4.0


def log_density(x: Tensor) -> Tensor:
    """A ring of radius 2 with two thick sides; Rezende and Mohamed 2015, table 1, potential 1."""
    ring = -0.5 * ((x.norm(dim=1) - 2) / 0.4).square()
    sides = torch.stack([-0.5 * ((x[:, 0] + side) / 0.6).square() for side in (-2, 2)])
    return ring + torch.logsumexp(sides, 0)


def grid(points: int) -> Tensor:
    axis = (torch.arange(points) + 0.5) / points * 2 * EDGE - EDGE
    return torch.cartesian_prod(axis, axis)


def draw(flow: lambent.Flow, path: Path) -> None:
    """The density, the flow's draws, and the flow's density, side by side."""
    events, points = grid(200), 200
    flows = flow.log_prob(events)
    figure = Figure(figsize=(9, 3), layout="constrained")
    axes = figure.subplots(1, 3)
    titles = ("density", "draws", "density of the flow")
    for axis, title, values in zip(axes, titles, (log_density(events), None, flows), strict=True):
        axis.set(title=title, xlim=(-EDGE, EDGE), ylim=(-EDGE, EDGE), aspect="equal")
        if values is None:
            axis.plot(*flow.sample(3000).T.numpy(), ".", markersize=1, alpha=0.5)
        else:
            picture = values.exp().reshape(points, points).T.numpy()
            axis.imshow(picture, origin="lower", extent=(-EDGE, EDGE) * 2)
    with replacing(path) as temporary:
        figure.savefig(temporary, format="png", dpi=110)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=2000)
    parser.add_argument("--out", type=Path, default=Path("reverse-kl.png"))
    options = parser.parse_args()

    with lambent.seeded(0):
        flow = lambent.iaf(lambent.IAFConfig(shape=(2,), transforms=6, width=64, norm="none"))
        optimizer = torch.optim.Adam(flow.parameters(), lr=2e-3)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, options.steps)
        for _ in range(options.steps):
            loss = lambent.reverse_kl(flow, log_density, 256)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
        with torch.no_grad():
            x, log_q = flow.rsample_and_log_prob(20_000)
            weights = log_density(x) - log_q
            draw(flow, options.out)
    cell = (2 * EDGE / 400) ** 2
    exact = torch.logsumexp(log_density(grid(400)).double(), 0) + math.log(cell)
    by_weights = torch.logsumexp(weights.double(), 0) - math.log(len(weights))
    sys.stdout.write(
        f"log Z: {exact:.3f} by quadrature, {by_weights:.3f} by importance weights, "
        f"at least {weights.mean():.3f} by the reverse divergence\n"
    )


if __name__ == "__main__":
    main()
