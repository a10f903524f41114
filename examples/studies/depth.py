"""Gradients against depth, with and without actnorm.

    python examples/studies/depth.py [--quick] [--out FOLDER]

Real NVP over vectors whose numbers have scales from 0.1 to 10. Left, the norm of the gradient that
each coupling's network gets before training, where networks start at random; couplings are numbered
from the data on. Right, the likelihood after a short training of the same length at every depth,
where networks start at zero, as the library's do.
"""

from __future__ import annotations

import math

import torch
from matplotlib.figure import Figure
from study import begin, log_axis, tidy
from torch import Tensor

from lambent import Compose, Flow, initialize, seeded
from lambent.core import Transform
from lambent.distributions import StandardNormal
from lambent.flows.couplings import of_vectors
from lambent.nn import MLP
from lambent.transforms import ActNorm, Affine, Coupling

FEATURES = 16
ARMS = {"without actnorm": False, "with actnorm": True}


def draw(n: int) -> tuple[Tensor, None]:
    """Two bent clouds, at scales from 0.1 to 10."""
    u = torch.randn(n, FEATURES)
    side = torch.randint(2, (n, 1)) * 2.0 - 1
    bent = u + side + 0.5 * u.roll(1, 1).square()
    return bent * torch.logspace(-1, 1, FEATURES), None


def net(kept: int, params: int) -> MLP:
    return MLP(kept, params, width=32)


def flow_of(depth: int, *, actnorm: bool, random: bool) -> Flow:
    steps: list[Transform] = []
    for i in range(depth):
        coupling = of_vectors(i, FEATURES, net, Affine())
        if random:
            assert isinstance(coupling.net, MLP)
            torch.nn.init.kaiming_uniform_(coupling.net.last.weight, a=math.sqrt(5))
        steps += [*([ActNorm(FEATURES)] if actnorm else []), coupling]
    return Flow(Compose(*steps), StandardNormal((FEATURES,)))


def gradients(depth: int, *, actnorm: bool) -> list[float]:
    """Norms of the gradients of the mean likelihood, one a coupling, before training.

    In float64: without actnorm they are beyond float32.
    """
    flow = flow_of(depth, actnorm=actnorm, random=True).double()
    initialize(flow, draw(1024)[0].double())
    flow.log_prob(draw(512)[0].double()).mean().backward()
    return [
        float(torch.stack([p.grad.norm() for p in step.parameters() if p.grad is not None]).norm())
        for step in flow.transform
        if isinstance(step, Coupling)
    ]


def trained(depth: int, *, actnorm: bool, steps: int) -> float:
    """Nats a vector on fresh draws after so many steps of Adam; no number if it broke down."""
    flow = flow_of(depth, actnorm=actnorm, random=False)
    initialize(flow, draw(1024)[0])
    optimizer = torch.optim.Adam(flow.parameters(), lr=1e-3)
    for _ in range(steps):
        loss = -flow.log_prob(draw(128)[0]).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    with torch.no_grad():
        return -float(flow.log_prob(draw(4000)[0]).mean())


def main() -> None:
    study = begin(__doc__, __file__)
    depths, steps = ((2, 4), 3) if study.quick else ((4, 8, 16, 32), 200)
    norms: dict[str, dict[int, list[float]]] = {}
    nats: dict[str, dict[int, float]] = {}
    for arm, actnorm in ARMS.items():
        norms[arm], nats[arm] = {}, {}
        for depth in depths:
            with seeded(0):
                norms[arm][depth] = gradients(depth, actnorm=actnorm)
                nats[arm][depth] = trained(depth, actnorm=actnorm, steps=steps)
            print(arm, depth, norms[arm][depth][0], nats[arm][depth], flush=True)
    figure = Figure(figsize=(10, 4), layout="constrained")
    left, right = figure.subplots(1, 2)
    for i, arm in enumerate(ARMS):
        for depth in depths:
            values = norms[arm][depth]
            left.plot(range(1, depth + 1), values, ".-", color=f"C{i}", linewidth=0.8)
        left.plot([], [], color=f"C{i}", label=arm)
        right.plot(depths, [nats[arm][depth] for depth in depths], "o-", color=f"C{i}", label=arm)
    log_axis(left, "y")
    left.set(xlabel="coupling, from the data on", ylabel="norm of its gradient")
    left.legend(frameon=False)
    log_axis(right, "x")
    right.set_xticks(depths)
    right.set(xlabel="couplings", ylabel=f"nats a vector after {steps} steps")
    tidy(figure)
    spread = {
        arm: {depth: max(values) / min(values) for depth, values in row.items()}
        for arm, row in norms.items()
    }
    figures = {"steps": steps, "gradient_norms": norms, "largest_over_smallest": spread}
    study.save(figure, {**figures, "nats": nats})


if __name__ == "__main__":
    main()
