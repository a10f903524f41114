"""Two affine couplings come as near to a law of the plane as one likes, ill-conditioned.

    python examples/studies/wasserstein.py [--quick] [--out FOLDER]

Nothing is trained. With sharpness e, from a standard normal (u, v):

1.  x = C(v) + (e / 9) u: the cell of width e in which v's quantile of the law's first coordinate
    lies, and u moves x within it.
2.  y = G(x) + e v: where x lies in its cell says which quantile y is of the law's second
    coordinate given that cell.

Each is a coupling, affine in what it changes. The distance to the law falls with e, and the
Jacobian's condition number grows. C and G jump and are steep, as networks would have to be.
"""

from __future__ import annotations

import math

import torch
from matplotlib.figure import Figure
from scipy.optimize import linear_sum_assignment
from study import begin, log_axis, tidy
from torch import Tensor, nn

from lambent import Compose, Flow, seeded
from lambent.core.transform import Transform
from lambent.data import crescents
from lambent.distributions import StandardNormal
from lambent.evaluate import measure_conditioning
from lambent.nn import Constant, ShiftAndScale
from lambent.transforms import Affine, Complement, Coupling, Halves, Partition

REACH = 4.5
"""A normal number is taken to be less than this; one in 150,000 is not."""


def below(v: Tensor) -> Tensor:
    """The share of normal numbers below v."""
    return torch.special.ndtr(v).clamp(0, 1 - 1e-12)


class Cells(nn.Module):
    """What v chooses: the middle of the cell of the first coordinate's quantile."""

    def __init__(self, first: Tensor, size: float) -> None:
        super().__init__()
        self.first = first.sort()[0]
        self.size = size

    def forward(self, v: Tensor, context: None = None) -> Tensor:
        """The middle of the cell."""
        quantile = self.first[(below(v) * len(self.first)).long()]
        return ((quantile / self.size).floor() + 0.5) * self.size


class Quantiles(nn.Module):
    """The second coordinate's quantile within a cell of the first, at the place x has in it."""

    def __init__(self, points: Tensor, size: float) -> None:
        super().__init__()
        self.size = size
        cells = (points[:, 0] / size).floor().long()
        self.least = int(cells.min())
        self.cells = [
            points[cells == c, 1].sort()[0] for c in range(self.least, int(cells.max()) + 1)
        ]

    def forward(self, x: Tensor, context: None = None) -> Tensor:
        """The quantile."""
        cell = (x / self.size).floor()
        share = below(2 * REACH * (x / self.size - cell - 0.5))
        where = (cell.long() - self.least).clamp(0, len(self.cells) - 1)
        y = torch.zeros_like(x)
        for i, values in enumerate(self.cells):
            mine = where == i
            if len(values) and bool(mine.any()):
                y[mine] = _between(values, share[mine])
        return y


def _between(values: Tensor, share: Tensor) -> Tensor:
    """A quantile of sorted values, on the line between its two neighbours."""
    place = share * (len(values) - 1)
    low = place.floor().long()
    high = (low + 1).clamp_max(len(values) - 1)
    return values[low] + (place - low) * (values[high] - values[low])


class Minus(nn.Module):
    """A network's output with the other sign."""

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net

    def forward(self, a: Tensor, context: None = None) -> Tensor:
        """Change the sign."""
        return -self.net(a)


def affine(shift: nn.Module, scale: float, partition: Partition) -> Transform:
    """``scale b + shift(a)`` from latent to data, and so ``(b - shift(a)) / scale`` to latent."""
    log_scale = Constant(1).double()
    log_scale.value.data.fill_(-math.log(scale))
    return Coupling(ShiftAndScale(Minus(shift), log_scale), Affine(bound=None), partition)


def flow_of(points: Tensor, sharpness: float) -> Flow:
    """Data to latent: y is undone first, then x."""
    return Flow(
        Compose(
            affine(Quantiles(points, sharpness), sharpness, Halves()),
            affine(Cells(points[:, 0], sharpness), sharpness / (2 * REACH), Complement(Halves())),
        ),
        StandardNormal((2,)).double(),
    )


def distance(x: Tensor, y: Tensor) -> float:
    """The Wasserstein-2 distance between two samples of one size, exactly."""
    cost = torch.cdist(x, y).square()
    rows, columns = linear_sum_assignment(cost.numpy())
    return float(cost[rows, columns].mean().sqrt())


def law(n: int) -> Tensor:
    """Two crescents, with as many points in each."""
    return crescents(torch.arange(n) % 2).double()


def main() -> None:
    study = begin(__doc__, __file__)
    table, n, looked_at = (2000, 100, 20) if study.quick else (200_000, 1500, 200)
    sharpnesses = (1.0, 2.0**-6) if study.quick else tuple(2.0**-i for i in range(8))
    with seeded(0):
        points, held_out, again = law(table), law(n), law(n)
        base = torch.randn(n, 2, dtype=torch.float64)
    rows, draws = [], {}
    for sharpness in sharpnesses:
        flow = flow_of(points, sharpness)
        x = flow.decode(base)
        condition = measure_conditioning(flow, x[:looked_at], extremes=1).condition
        off = float((flow.encode(x) - base).abs().max())
        rows.append(
            {
                "sharpness": sharpness,
                "distance": distance(x, held_out),
                "condition_median": float(condition.median()),
                "condition_largest": float(condition.max()),
                "round_trip": off,
            }
        )
        draws[sharpness] = x
        print(rows[-1], flush=True)
    floor = distance(again, held_out)
    figure = Figure(figsize=(12, 3.4), layout="constrained")
    places = figure.subplots(1, 4, width_ratios=(1.4, 1, 1, 1))
    distances = [row["distance"] for row in rows]
    for what in ("median", "largest"):
        places[0].plot([row[f"condition_{what}"] for row in rows], distances, "o-", label=what)
    places[0].axhline(
        floor, color="0.5", linestyle=":", linewidth=1, label="two samples of the law"
    )
    places[0].legend(frameon=False, fontsize=8)
    log_axis(places[0], "x", "y")
    places[0].set(xlabel="condition number", ylabel="Wasserstein-2 distance")
    for axes, i in zip(places[1:], (0, len(rows) // 2, len(rows) - 1), strict=True):
        sharpness = rows[i]["sharpness"]
        axes.plot(*draws[sharpness].T.numpy(), ".", markersize=1.5)
        axes.set(title=f"sharpness {sharpness:g}", xlim=(-1.6, 2.6), ylim=(-1.3, 1.8))
        axes.set(xticks=[], yticks=[], aspect="equal")
    tidy(figure)
    study.save(figure, {"points": n, "distance_of_two_samples": floor, "rows": rows})


if __name__ == "__main__":
    main()
