"""A flow as the guide of a Bayesian logistic regression in Pyro, beside a normal guide.

    python examples/pyro_guide.py [--steps 400] [--out pyro.png]

The weights of two features that say nearly the same have a posterior that leans and bends; the
loss, minus the evidence's lower bound, tells how much of that a guide can follow.
"""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Callable
from pathlib import Path

import torch
from matplotlib.figure import Figure

import lambent
from lambent.files import replacing

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # what its own imports say
    import pyro
    from pyro.distributions import Bernoulli, Normal
    from pyro.infer import SVI, Trace_ELBO
    from pyro.infer.autoguide import AutoDiagonalNormal

from lambent.estimators.pyro import PyroDistribution

ROWS = 12


def learned(model: Callable[[], None], guide: Callable[..., object], steps: int) -> float:
    """Minus the lower bound of the evidence after some steps, in nats."""
    adam = pyro.optim.ClippedAdam({"lr": 0.02, "lrd": 0.1 ** (1 / steps)})
    svi = SVI(
        model,
        guide,
        adam,
        Trace_ELBO(num_particles=16, vectorize_particles=True, max_plate_nesting=1),
    )
    for _ in range(steps):
        svi.step()
    return sum(svi.evaluate_loss() for _ in range(50)) / 50


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=400)
    parser.add_argument("--out", type=Path, default=Path("pyro.png"))
    options = parser.parse_args()
    pyro.clear_param_store()
    with lambent.seeded(0):
        common = torch.randn(ROWS, 1)
        x = common + 0.3 * torch.randn(ROWS, 2)
        y = (common[:, 0] > 0).float()

        def model() -> None:
            weights = pyro.sample("weights", Normal(torch.zeros(2), 5.0).to_event(1))
            with pyro.plate("rows", ROWS):
                pyro.sample("y", Bernoulli(logits=(weights * x).sum(-1)), obs=y)

        settings = lambent.IAFConfig(shape=(2,), width=32, transforms=3, norm="none")
        flow = lambent.iaf(settings)

        def guide() -> None:
            pyro.module("flow", flow)
            pyro.sample("weights", PyroDistribution(flow))

        plain = AutoDiagonalNormal(model)
        losses = {"normal": learned(model, plain, options.steps)}
        losses["flow"] = learned(model, guide, options.steps)
        drawn = flow.sample(3000)
        centre, scale = plain.get_posterior().mean.detach(), plain.get_posterior().stddev.detach()
    axis = torch.linspace(-6, 16, 150)
    grid = torch.stack(torch.meshgrid(axis, axis, indexing="xy"), -1)
    nats = Normal(0.0, 5.0).log_prob(grid).sum(-1)
    nats = nats + Bernoulli(logits=grid @ x.T).log_prob(y).sum(-1)
    figure = Figure(figsize=(9, 4.2), layout="constrained")
    for axes, (name, loss) in zip(figure.subplots(1, 2), losses.items(), strict=True):
        axes.contour(axis, axis, (nats - nats.max()).exp(), levels=8, colors="#64748b")
        points = drawn if name == "flow" else centre + scale * torch.randn(3000, 2)
        axes.scatter(*points.detach().T, s=2, alpha=0.3, color="#c2410c")
        axes.set(title=f"{name}: evidence at least {-loss:.2f} nats", xlim=(-6, 16), ylim=(-6, 16))
    with replacing(options.out) as temporary:
        figure.savefig(temporary, dpi=80)
    print({name: round(loss, 3) for name, loss in losses.items()})


if __name__ == "__main__":
    main()
