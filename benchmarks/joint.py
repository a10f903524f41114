"""The joint flow on two crescents: what its settings do, and a conditional flow beside it.

    python benchmarks/joint.py [--steps 1000] [--out docs/benchmarks]

Every arm is trained from the same seed by the same number of steps. The conditional flow has
couplings of the same number whose networks read the label, at a width that gives it as many
parameters, and is given the time that the joint flow took.
"""

from __future__ import annotations

import argparse
import itertools
import time
from collections.abc import Callable
from pathlib import Path

import torch
from emit import write_json, write_text
from torch import Tensor

from lambent import Flow, JointConfig, conditional_log_prob, joint, rule_error, seeded
from lambent.data import crescents
from lambent.evaluate import discrepancy
from lambent.flows import RealNVPConfig, realnvp
from lambent.train import train_on_draws

WEIGHTS = (1.0, 10.0, 100.0, 1000.0)
BATCHES = ("mixed", "segregated")
NOISES = (0.0, 0.05)
COUPLINGS, WIDTH = 12, 32


def mixed(n: int) -> tuple[Tensor, Tensor]:
    labels = torch.randint(2, (n,))
    return crescents(labels), labels


def segregated(n: int) -> tuple[Tensor, Tensor]:
    """One class; the first and largest draw, which sets the units, has both."""
    labels = torch.randint(2, (n,)) if n > 1024 else torch.randint(2, (1,)).expand(n)
    return crescents(labels), labels


def joint_flow(weight: float = 100.0, noise: float = 0.05) -> Flow:
    return joint(
        JointConfig(
            shape=(2,),
            conditioning="label",
            classes=2,
            couplings=COUPLINGS,
            width=WIDTH,
            rule_weight=weight,
            condition_noise=noise,
        )
    )


def parameters(flow: Flow) -> int:
    return sum(p.numel() for p in flow.parameters() if p.requires_grad)


def conditional_flow(as_many: int) -> Flow:
    """The narrowest Real NVP given the label with at least so many parameters."""
    for width in itertools.count(8):
        flow = realnvp(
            RealNVPConfig(
                shape=(2,),
                conditioning="label",
                classes=2,
                couplings=COUPLINGS,
                width=width,
                networks="one",
                norm="actnorm",
            )
        )
        if parameters(flow) >= as_many:
            return flow
    raise AssertionError


def held_out(n: int = 2000) -> tuple[Tensor, Tensor]:
    with seeded(1):
        labels = torch.arange(2 * n) % 2
        return crescents(labels), labels


def mmd(flow: Flow, n: int = 2000) -> list[float]:
    """Of each class, between draws and held-out points."""
    x, labels = held_out(n)
    with seeded(2):
        drawn = flow.sample(n, torch.arange(2)).reshape(2, n, 2)
    return [discrepancy(drawn[k], x[labels == k]) for k in (0, 1)]


def trained(flow: Flow, draw: Callable[[int], tuple[Tensor, Tensor]], **limits: float) -> dict:
    start = time.monotonic()
    with seeded(0):
        steps = train_on_draws(flow, draw, **limits)
    seconds = time.monotonic() - start
    return {"steps": steps, "seconds": seconds, "parameters": parameters(flow)}


def joint_figures(flow: Flow) -> dict:
    x, labels = held_out()
    return {
        "objective": -float(flow.log_prob(x, labels).detach().mean()),
        "conditional_nll": -float(conditional_log_prob(flow, x, labels).detach().mean()),
        "rule_error": float(rule_error(flow, x, labels).mean()),
        "mmd": mmd(flow),
    }


def ablation(steps: int) -> list[dict]:
    rows = []
    for weight, batches, noise in itertools.product(WEIGHTS, BATCHES, NOISES):
        with seeded(0):
            flow = joint_flow(weight, noise)
        draw = mixed if batches == "mixed" else segregated
        cost = trained(flow, draw, steps=steps)
        arm = {"rule_weight": weight, "batches": batches, "condition_noise": noise}
        rows.append({**arm, **cost, **joint_figures(flow)})
        print(rows[-1], flush=True)
    return rows


def comparison(steps: int) -> dict:
    with seeded(0):
        ours = joint_flow()
        other = conditional_flow(parameters(ours))
    cost = trained(ours, mixed, steps=steps)
    other_cost = trained(other, mixed, steps=10**9, max_seconds=cost["seconds"])
    x, labels = held_out()
    return {
        "joint": {**cost, **joint_figures(ours)},
        "conditional": {
            **other_cost,
            "conditional_nll": -float(other.log_prob(x, labels).detach().mean()),
            "mmd": mmd(other),
        },
    }


def floor(n: int = 2000) -> list[float]:
    """Of each class, between two halves of data."""
    x, labels = held_out(n)
    with seeded(3):
        again = crescents(labels)
    return [discrepancy(again[labels == k], x[labels == k]) for k in (0, 1)]


def page(figures: dict) -> str:
    lines = [
        "# The joint flow on two crescents",
        "",
        f"Each arm: {COUPLINGS} couplings, width {WIDTH}, {figures['steps']} steps of 256, one run "
        "on one thread. Nats an event, 2,000 held-out points a class; the MMD has a "
        "Gaussian kernel of median bandwidth and is the mean of both "
        f"classes; between two draws of the data it is {mean(figures['floor']):.3f}. "
        "*Objective* is what training minimises, without noise on the label; *conditional NLL* "
        "has the Jacobian of the data alone. Where the first is far below the second, the flow "
        "has stretched the gap between the labels.",
        "",
        "| λ | batches | label noise | objective | conditional NLL | rule error | MMD |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in figures["ablation"]:
        lines.append(
            f"| {row['rule_weight']:g} | {row['batches']} | {row['condition_noise']:g} | "
            f"{row['objective']:.3f} | {row['conditional_nll']:.3f} | {row['rule_error']:.1e} | "
            f"{mean(row['mmd']):.3f} |"
        )
    lines += [
        "",
        "Beside it a Real NVP whose networks read the label, at as many parameters and couplings "
        "and in the same time:",
        "",
        "| | parameters | steps | seconds | conditional NLL | MMD |",
        "|---|---|---|---|---|---|",
    ]
    for name, row in figures["comparison"].items():
        lines.append(
            f"| {name} | {row['parameters']:,} | {row['steps']:,} | {row['seconds']:.0f} | "
            f"{row['conditional_nll']:.3f} | {mean(row['mmd']):.3f} |"
        )
    lines += ["", "`python benchmarks/joint.py` measures this again.", ""]
    return "\n".join(lines)


def mean(values: list[float]) -> float:
    return sum(values) / len(values)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--out", type=Path, default=Path("docs/benchmarks"))
    options = parser.parse_args()
    torch.set_num_threads(1)
    figures = {
        "steps": options.steps,
        "floor": floor(),
        "comparison": comparison(options.steps),
        "ablation": ablation(options.steps),
    }
    write_json(options.out / "joint.json", figures)
    write_text(options.out / "joint.md", page(figures))


if __name__ == "__main__":
    main()
