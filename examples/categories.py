"""A flow of two categories of three classes each, whose probabilities are known.

    python examples/categories.py [--steps 1500]

Prints, for each way to take categories to numbers, the bound in nats (of one draw, and of 64
averaged as probabilities) beside the entropy that it cannot beat, and half the sum of absolute
differences between the share of each pair in 20,000 draws and its probability.
"""

from __future__ import annotations

import argparse
import json
import math

import torch
from torch import Tensor

from lambent import Compose, Flow, Transform, seeded
from lambent.distributions import ConditionalNormal, StandardNormal
from lambent.nn import MLP
from lambent.train import train_on_draws
from lambent.transforms import ActNorm, Affine, Argmax, BinaryArgmax, Coupling, Permute

TABLE = torch.tensor([[0.30, 0.02, 0.08], [0.03, 0.20, 0.02], [0.05, 0.05, 0.25]])
"""The probability of each pair."""


def pairs(n: int) -> Tensor:
    """Draws of the table, ``(n, 2)``."""
    index = torch.multinomial(TABLE.flatten(), n, replacement=True)
    return torch.stack((index // 3, index % 3), 1).to(torch.uint8)


def entropy() -> float:
    """Nats a pair."""
    return -float((TABLE * TABLE.log()).sum())


def flow_of(kind: type[Argmax] | type[BinaryArgmax], couplings: int = 8, width: int = 32) -> Flow:
    """Couplings over the numbers that stand for a pair."""
    size = 6 if kind is Argmax else 4
    noise = ConditionalNormal((size,), MLP(size, 2 * size, width=width))
    steps: list[Transform] = [kind(3, noise), ActNorm(size)]
    for _ in range(couplings):
        net = MLP(size // 2, size, width=width)
        steps += [Coupling(net, Affine()), Permute.shuffle(size)]
    return Flow(Compose(*steps), StandardNormal((size,)))


@torch.no_grad()
def figures(flow: Flow, draws: int = 64) -> dict[str, float]:
    """The bound over the table itself, and how far draws are from it."""
    every = torch.cartesian_prod(torch.arange(3), torch.arange(3)).to(torch.uint8)
    each = flow.log_prob(every.repeat(50 * draws, 1)).reshape(50, draws, 9)
    of_draws = each.logsumexp(1).mean(0) - math.log(draws)
    drawn = flow.sample(20_000).long()
    share = torch.bincount(drawn[:, 0] * 3 + drawn[:, 1], minlength=9) / len(drawn)
    return {
        "nats": -float((TABLE.flatten() * each.mean((0, 1))).sum()),
        f"nats_of_{draws}_draws": -float((TABLE.flatten() * of_draws).sum()),
        "total_variation": float((share - TABLE.flatten()).abs().sum()) / 2,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=1500)
    options = parser.parse_args()
    torch.set_num_threads(1)
    for kind in (Argmax, BinaryArgmax):
        with seeded(0):
            flow = flow_of(kind)
            train_on_draws(flow, lambda n: (pairs(n), None), steps=options.steps)
        with seeded(1):
            found = {name: round(value, 4) for name, value in figures(flow).items()}
        print(json.dumps({"layer": kind.__name__, **found}), flush=True)
    print(json.dumps({"entropy": round(entropy(), 4)}))


if __name__ == "__main__":
    main()
