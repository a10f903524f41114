"""A flow of two channels, trained on a normal of known entropy, finds it."""

from __future__ import annotations

import math

import torch

from lambent.core import Compose, Flow, initialize
from lambent.distributions import StandardNormal
from lambent.transforms import ActNorm, Affine, Coupling, PLUConv1x1

from ..networks import Dense


def test_entropy_of_a_known_normal_is_recovered() -> None:
    """The mean of ``log p_true - log p`` over draws is the excess over the entropy, in nats.

    Differences on the same draws have little noise: their own error is far below 0.01.
    """
    covariance = torch.tensor([[2.0, 1.2], [1.2, 1.0]])
    truth = torch.distributions.MultivariateNormal(torch.tensor([3.0, -1.0]), covariance)
    entropy = math.log(2 * math.pi * math.e) + 0.5 * math.log(2.0 * 1.0 - 1.2**2)
    assert math.isclose(float(truth.entropy()), entropy, rel_tol=1e-5)
    steps = [[ActNorm(2), PLUConv1x1(2), Coupling(Dense(1, 2), Affine())] for _ in range(2)]
    flow = Flow(Compose(*(layer for step in steps for layer in step)), StandardNormal((2,)))
    initialize(flow, truth.sample((1000,)))
    optimiser = torch.optim.Adam(flow.parameters(), lr=0.02)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, 400)
    for _ in range(400):
        loss = -flow.log_prob(truth.sample((512,))).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
    x = truth.sample((50_000,))
    with torch.no_grad():
        excess = truth.log_prob(x) - flow.log_prob(x)
    error = excess.std() / math.sqrt(len(x))
    assert error < 0.001
    assert -4 * error < excess.mean() < 0.01
