"""Flows of the plane in more dimensions than two: nothing, zeros, or noise put beside the points.

    python examples/studies/padding.py [--quick] [--out FOLDER]

Points with zeros beside them have no density, so what training minimises falls without end and is
no likelihood; samples are compared instead, by MMD. Noise beside them gives a bound, tightened by
importance samples. The Jacobian's condition number is followed along training.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from matplotlib.figure import Figure
from study import Study, begin, log_axis, tidy
from torch import Tensor

from lambent import Compose, Flow, seeded
from lambent.data import SHAPES, crescents, seven_shapes
from lambent.distributions import StandardNormal
from lambent.evaluate import discrepancy, measure_conditioning
from lambent.flows.couplings import of_vectors
from lambent.nn import MLP
from lambent.transforms import Affine, Augment

ARMS = ("none", "zeros", "noise")
PAD = 2
COUPLINGS = 6
WIDTH = 64


def circles(labels: Tensor) -> Tensor:
    return 2 * seven_shapes(torch.full_like(labels, SHAPES.index("two circles")))


TOYS: dict[str, Callable[[Tensor], Tensor]] = {"crescents": crescents, "two circles": circles}


def draw(toy: str, n: int) -> Tensor:
    return TOYS[toy](torch.randint(2, (n,)))


def padded(x: Tensor, arm: str) -> Tensor:
    if arm == "none":
        return x
    pad = torch.zeros(len(x), PAD) if arm == "zeros" else torch.randn(len(x), PAD)
    return torch.cat((x, pad), 1)


def net(kept: int, params: int) -> MLP:
    return MLP(kept, params, width=WIDTH, activation="tanh")


def flow_of(arm: str) -> Flow:
    """Couplings whose scales nothing bounds: a bound would hide what is looked for."""
    size = 2 if arm == "none" else 2 + PAD
    steps = [of_vectors(i, size, net, Affine(bound=None)) for i in range(COUPLINGS)]
    return Flow(Compose(*steps), StandardNormal((size,)))


def conditions(flow: Flow, toy: str, arm: str, n: int) -> dict:
    """Medians of the condition number at data and at the flow's own draws, and the largest."""
    with seeded(1):
        x = padded(draw(toy, n), arm)
        places = {"data": x, "draws": flow.sample(n).detach()}
    found = {}
    for name, points in places.items():
        finite = points[points.isfinite().all(1)]
        values = measure_conditioning(flow, finite, extremes=1).condition
        found[name] = float(values.median())
        found[f"{name}_largest"] = float(values.max())
    return found


@torch.no_grad()
def nll(flow: Flow, x: Tensor, arm: str, samples: int) -> float | None:
    """Nats a point: exact, or the importance-weighted bound; none where there is no density."""
    if arm == "zeros":
        return None
    if arm == "none":
        return -float(flow.log_prob(x).mean())
    whole = Flow(Compose(Augment(StandardNormal((PAD,))), flow.transform), flow.base)
    draws = torch.stack([whole.log_prob(x) for _ in range(samples)]).double()
    return -float((draws.logsumexp(0) - math.log(samples)).mean())


def run(study: Study, toy: str, arm: str) -> tuple[dict, Tensor]:
    """Train one arm, and look at it along the way."""
    steps, looks, points = (4, 2, 20) if study.quick else (1500, 8, 200)
    looked_at = {round(steps * (i / looks) ** 2) for i in range(looks + 1)}
    path = []
    with seeded(0):
        flow = flow_of(arm)
        optimizer = torch.optim.Adam(flow.parameters(), lr=1e-3)
        for step in range(steps + 1):
            if step in looked_at:
                path.append({"step": step, **conditions(flow, toy, arm, points)})
            loss = -flow.log_prob(padded(draw(toy, 256), arm)).mean()
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(flow.parameters(), 10.0)
            optimizer.step()
        x = draw(toy, 2000)
        drawn = flow.sample(2000).detach()[:, :2]
        figures = {
            "objective": float(loss.detach()),
            "nll": nll(flow, x, arm, 5 if study.quick else 100),
            "mmd": discrepancy(drawn, x),
            "path": path,
        }
    return figures, drawn


def floor(toy: str) -> float:
    """Between two samples of the data."""
    with seeded(2):
        return discrepancy(draw(toy, 2000), draw(toy, 2000))


def main() -> None:
    study = begin(__doc__, __file__)
    toys = ("crescents",) if study.quick else tuple(TOYS)
    rows: dict[str, dict[str, dict]] = {}
    figure = Figure(figsize=(12, 3.4 * len(toys)), layout="constrained")
    places = figure.subplots(len(toys), 4, squeeze=False, width_ratios=(1.5, 1, 1, 1))
    for line, toy in zip(places, toys, strict=True):
        rows[toy] = {}
        for i, arm in enumerate(ARMS):
            rows[toy][arm], drawn = run(study, toy, arm)
            path = rows[toy][arm]["path"]
            for what, style in (("data", "o-"), ("draws", "o:")):
                values = [row[what] for row in path]
                at = [row["step"] for row in path]
                line[0].plot(at, values, style, color=f"C{i}", markersize=3)
            line[0].plot([], [], color=f"C{i}", label=arm)
            line[i + 1].plot(*drawn.T.numpy(), ".", markersize=1, color=f"C{i}")
            title = f"{arm}: MMD {rows[toy][arm]['mmd']:.3f}"
            line[i + 1].set(title=title, xlim=(-3, 3), ylim=(-3, 3), xticks=[], yticks=[])
            print(toy, arm, {k: v for k, v in rows[toy][arm].items() if k != "path"}, path[-1])
        log_axis(line[0], "y")
        line[0].set(xlabel="step", ylabel=f"{toy}\nmedian condition number")
        line[0].legend(frameon=False)
    figures = {"couplings": COUPLINGS, "width": WIDTH, "pad": PAD, "toys": rows}
    tidy(figure)
    study.save(figure, {**figures, "mmd_of_two_samples": {toy: floor(toy) for toy in toys}})


if __name__ == "__main__":
    main()
