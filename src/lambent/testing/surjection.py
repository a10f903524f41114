"""The value of a surjection against brute force: a bound lies below what it bounds."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from lambent.core.distribution import Distribution, repeat_context
from lambent.core.flow import Flow
from lambent.core.seed import seeded
from lambent.testing.law import expect
from lambent.types import Context, PerSample, X


@torch.no_grad()
def enumerated_log_prob(
    flow: Flow, x: X, low: float, high: float, *, context: Context | None = None, points: int = 200
) -> PerSample:
    """The log-probability of discrete events, by adding up the latents that decode to each.

    Args:
        flow: A flow over integers, whose latent has one or two dimensions, in float64.
        x: Events, ``(b, *event_shape)``.
        low: Least latent on every axis.
        high: Largest latent on every axis; what lies outside must not matter.
        context: One row, ``(1, *c)``.
        points: Points of the grid along each axis; the midpoint rule.

    Returns:
        Nats, ``(b,)``.
    """
    (size,) = flow.base.event_shape
    step = (high - low) / points
    axis = low + step * (torch.arange(points, dtype=torch.float64) + 0.5)
    latents = torch.cartesian_prod(*[axis] * size).reshape(-1, size)
    rows = repeat_context(context, len(latents))
    mass = flow.base.log_prob(latents, rows).exp() * step**size
    events = flow.decode(latents, rows).flatten(1)
    same = (events[:, None] == x.flatten(1)[None]).all(2)
    return (mass[:, None] * same).sum(0).log()


@torch.no_grad()
def check_bound(
    flow: Distribution,
    x: X,
    exact: Tensor,
    *,
    context: Context | None = None,
    draws: int = 4000,
    seed: int = 0,
) -> Tensor:
    """Check a bound against the exact log-likelihood: below it in the mean, equal in exponent.

    Of the draws of one event, ``E[log_prob] <= log p(x)`` and ``E[exp(log_prob)] = p(x)``. Both
    means must hold within five standard errors.

    Args:
        flow: A flow whose likelihood is a bound.
        x: Events, ``(b, *event_shape)``.
        exact: Their log-likelihoods, nats, ``(b,)``.
        context: One row for each event.
        draws: How many for each event.
        seed: Seed of the draws.

    Returns:
        How far the mean lies below, nats, ``(b,)``.

    Raises:
        AssertionError: If the likelihood is called exact, or a mean is off.
    """
    expect(flow.likelihood == "bound", f"likelihood is '{flow.likelihood}', expected 'bound'")
    with seeded(seed):
        values = flow.log_prob(x.repeat_interleave(draws, 0), repeat_context(context, draws))
    values = values.reshape(len(x), draws)
    error = 5 * values.std(1) / math.sqrt(draws) + 1e-9
    above = float((values.mean(1) - exact - error).max())
    expect(above <= 0, f"the bound lies {above:.3g} nats above the exact value")
    ratios = (values - exact[:, None]).exp()
    error = 5 * ratios.std(1) / math.sqrt(draws) + 1e-6
    off = float(((ratios.mean(1) - 1).abs() - error).max())
    expect(off <= 0, f"the mean of p over the exact p differs from 1 by {off:.3g} too much")
    return exact - values.mean(1)


@torch.no_grad()
def check_total(
    distribution: Distribution,
    proposal: Distribution,
    *,
    draws: int = 100_000,
    tolerance: float = 0.02,
    seed: int = 0,
) -> None:
    """Check that a density of any dimension integrates to 1, by draws of another.

    Args:
        distribution: The density, in float64.
        proposal: A density of the same events with wider tails, in float64.
        draws: How many.
        tolerance: Largest standard error of the integral that decides anything.
        seed: Seed of the draws.

    Raises:
        AssertionError: If the integral is off by five standard errors, or they are too large.
    """
    with seeded(seed):
        x, log_prob = proposal.rsample_and_log_prob(draws)
    ratios = (distribution.log_prob(x) - log_prob).exp()
    total, error = float(ratios.mean()), float(ratios.std() / math.sqrt(draws))
    expect(error <= tolerance, f"the integral has a standard error of {error:.3g}")
    expect(abs(total - 1) <= 5 * error, f"the density integrates to {total:.4f} +- {error:.4f}")
