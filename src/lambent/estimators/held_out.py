"""How long to train, told by rows that are held out, and whether to train at all."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from lambent.core.flow import Flow
from lambent.core.seed import seeded
from lambent.estimators.normal import Normal, moments, normal
from lambent.estimators.progress import Show
from lambent.estimators.rules import Plan
from lambent.flows import nsf
from lambent.train.rows import Curve, Rows, train_on_rows

_ERRORS = 2.0
"""Standard errors by which rows held out must gain for the normal law to be left."""
_SEED = 0  # of the first weights, which are the same whichever part is held out


class Clock:
    """What is left of the time.

    Args:
        seconds: How long there is.
    """

    def __init__(self, seconds: float) -> None:
        self.end = time.monotonic() + seconds

    def left(self) -> float:
        """Seconds left."""
        return max(0.0, self.end - time.monotonic())


@dataclass(frozen=True, kw_only=True)
class Trained:
    """What training came to."""

    body: Flow | None
    """The flow behind the step that whitens; nothing where the normal law is as good."""
    steps: int = 0
    """Steps in it."""
    gain: float = 0.0
    """Nats a row held out gained."""
    interrupted: bool = False
    """By the keyboard."""


def train(
    x: Tensor, context: Tensor, sizes: Plan, shrinkage: float, clock: Clock, show: Show
) -> Trained:
    """Hold each part out in turn; where rows are few, learn all of them for as long as was best.

    Args:
        x: In a random order, ``(n, d)``.
        context: Encoded, ``(n, k)``.
        sizes: Of flow, training and parts.
        shrinkage: Of the normal laws.
        clock: Says what time is left.
        show: Told of the progress.

    Returns:
        The flow.
    """
    law = normal(moments(x, context), shrinkage)
    curves: list[Curve] = []
    first = 0
    for i, count in enumerate(sizes.held_out):
        held = torch.zeros(len(x), dtype=torch.bool)
        held[first : first + count] = True
        first += count
        own = normal(moments(x[~held], context[~held]), shrinkage) if sizes.again else law
        seconds = clock.left() / (len(sizes.held_out) - i + sizes.again)
        body, curve = _train(x, context, held, own, sizes, seconds, show)
        curves.append(curve)
        if curve.ended == "interrupt" or not sizes.again:
            return _judged(body, curve)
    steps, gain = _best(curves)
    if not steps:
        return Trained(body=None)
    nobody = torch.zeros(len(x), dtype=torch.bool)
    sizes = replace(sizes, training=replace(sizes.training, last_step=steps))
    body, curve = _train(x, context, nobody, law, sizes, clock.left(), show)
    interrupted = curve.ended == "interrupt"
    if not curve.taken:  # no time was left
        return Trained(body=None, interrupted=interrupted)
    return Trained(body=body, steps=curve.taken, gain=gain, interrupted=interrupted)


def _train(
    x: Tensor,
    context: Tensor,
    held: Tensor,
    law: Normal,
    sizes: Plan,
    seconds: float,
    show: Show,
) -> tuple[Flow, Curve]:
    """Train a flow on the rows that are not held out, in the units of a law."""
    z = law.standard(x, context).float()
    given = context.float() if context.shape[1] else None

    def rows(chosen: Tensor) -> Rows:
        return z[chosen], None if given is None else given[chosen]

    with seeded(_SEED):
        body = nsf(sizes.flow)
    body = Flow(body.transform, body.base)  # contexts come encoded
    curve = train_on_rows(
        body,
        rows(~held),
        rows(held) if held.any() else None,
        sizes.training,
        max_seconds=seconds,
        show=show,
    )
    return body, curve


def _judged(body: Flow, curve: Curve) -> Trained:
    """A flow, if its best look is better than the first by more than noise."""
    interrupted = curve.ended == "interrupt"
    if not curve.held_out:
        return Trained(body=None, interrupted=interrupted)
    gain = curve.held_out[curve.best] - curve.held_out[0]
    if not _beyond_noise(gain):
        return Trained(body=None, interrupted=interrupted)
    return Trained(
        body=body,
        steps=curve.steps[curve.best],
        gain=float(gain.mean()),
        interrupted=interrupted,
    )


def _beyond_noise(gain: Tensor) -> bool:
    """Whether a mean lies above 0 by more than its standard errors."""
    return bool(gain.mean() > _ERRORS * gain.std() / len(gain) ** 0.5)


def _best(curves: list[Curve]) -> tuple[int, float]:
    """After how many steps rows held out do best, and their gain; 0 if it is no more than noise."""
    steps = sorted({step for curve in curves for step in curve.steps})
    nats = torch.cat([_at(curve, steps) for curve in curves], 1)
    best = int(nats.mean(1).argmax())
    gain = nats[best] - nats[0]
    return (steps[best], float(gain.mean())) if _beyond_noise(gain) else (0, 0.0)


def _at(curve: Curve, steps: list[int]) -> Tensor:
    """The nats after so many steps, ``(len(steps), m)``: of the last look until then."""
    looks = [sum(taken <= step for taken in curve.steps) - 1 for step in steps]
    return torch.stack([curve.held_out[look] for look in looks])
