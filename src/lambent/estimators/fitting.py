"""From a table to a flow: the normal law, then as much training as rows held out ask for."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from lambent.core.compose import Compose
from lambent.core.flow import Flow
from lambent.core.seed import seeded
from lambent.distributions import StandardNormal
from lambent.estimators.held_out import Clock, train
from lambent.estimators.normal import Normal, best_shrinkage, moments, normal
from lambent.estimators.progress import Show
from lambent.estimators.rules import FEWEST, plan
from lambent.transforms import Whiten, WhitenGiven


@dataclass(frozen=True, kw_only=True)
class Fitted:
    """A flow, and how it came about."""

    flow: Flow
    """In double precision, its parameters fixed."""
    steps: int
    """Training steps in it; 0 where it is the normal law."""
    gain: float
    """Nats by which a row held out gained over the normal law; 0 where it is the normal law."""


def fit_rows(
    x: Tensor,
    context: Tensor | None = None,
    *,
    encoder: nn.Module | None = None,
    seed: int,
    max_seconds: float,
    show: Show,
) -> Fitted:
    """Fit a flow to rows, and contexts where there are any.

    Args:
        x: In double precision, ``(n, d)``.
        context: Encoded, in double precision, ``(n, k)``.
        encoder: What encodes contexts in the flow that is returned.
        seed: Of everything random.
        max_seconds: How long, at most.
        show: Told of the progress.

    Returns:
        The flow.
    """
    clock = Clock(max_seconds)
    with seeded(seed):
        order = torch.randperm(len(x))
        x = x[order]
        given = x.new_zeros(len(x), 0) if context is None else context[order]
        shrinkage = best_shrinkage(x, given)
        law = normal(moments(x, given), shrinkage)
        trained = None
        if len(x) >= FEWEST:
            sizes = plan(len(x), x.shape[1], None if context is None else given.shape[1])
            trained = train(x, given, sizes, shrinkage, clock, show)
    if trained is not None and trained.interrupted:
        warnings.warn("fit was interrupted: the best flow so far is kept", stacklevel=4)
    if trained is None or trained.body is None:
        flow = Flow(whitening(law), StandardNormal((x.shape[1],)), context_encoder=encoder)
        steps, gain = 0, 0.0
    else:
        chain = Compose(whiten=whitening(law), flow=trained.body.transform)
        flow = Flow(chain, trained.body.base, context_encoder=encoder)
        steps, gain = trained.steps, trained.gain
        if context is None:
            flow.recipe = ("nsf", replace(sizes.flow, whiten=True))
    flow = flow.double().eval().requires_grad_(requires_grad=False)
    return Fitted(flow=flow, steps=steps, gain=gain)


def whitening(law: Normal) -> Whiten:
    """The step that takes a law to the standard normal.

    Args:
        law: The law.

    Returns:
        The step, in double precision.
    """
    size, context = law.slope.shape
    step = WhitenGiven(size, context) if context else Whiten(size)
    step.double().set_normal(law.mean, law.factor)
    if isinstance(step, WhitenGiven):
        step.slope.data.copy_(law.slope)
    return step
