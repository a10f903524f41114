"""What a joint flow makes of a condition: draws, how well it is kept, the likelihood given it."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor

from lambent.core.compose import Compose
from lambent.core.distribution import repeat_context
from lambent.core.flow import Flow
from lambent.core.transform import sum_event, zero_log_det
from lambent.distributions import NormalAndRule
from lambent.nn import plain
from lambent.transforms import Append
from lambent.types import Context, PerSample, X

LARGEST_JACOBIAN = 16
"""Numbers of an event, at most, whose Jacobian is taken by as many passes."""


class JointSample(NamedTuple):
    """Draws of a joint flow, with what became of the condition."""

    x: Tensor
    """Events, ``(m n, *event_shape)``, all draws of the first condition first."""
    condition_error: Tensor
    """Mean ``|y_rec - y*|`` over the numbers of the condition, in its standard units,
    ``(m n,)``: a free measure of each draw's quality."""


def is_joint(flow: Flow) -> bool:
    """Whether a flow is one over data and condition, as :func:`lambent.joint` builds."""
    return isinstance(flow.base, NormalAndRule)


def rule_of(flow: Flow) -> NormalAndRule:
    """The base of a joint flow.

    Args:
        flow: The flow.

    Returns:
        Its base.

    Raises:
        ValueError: If it is another flow.
    """
    if not isinstance(flow.base, NormalAndRule):
        raise ValueError(
            f"flow: expected a joint flow, whose base is a normal and a rule, "
            f"got the base {type(flow.base).__name__}"
        )
    return flow.base


@torch.no_grad()
def joint_sample(
    flow: Flow, y: Context, n: int | None = None, *, temperature: float = 1.0
) -> JointSample:
    """Draw events given conditions, with how far the condition that comes along is off.

    ``z ~ N(0, T^2 I)``, ``(x, y_rec) = f^-1(z, y*)``: the events are those of ``flow.sample``.

    Args:
        flow: A joint flow.
        y: Conditions, ``m`` rows.
        n: How many events for each; one if not given.
        temperature: ``T``.

    Returns:
        Events and errors.

    Raises:
        ValueError: If the flow is another, or an argument is out of range.
    """
    base = rule_of(flow)
    asked = flow.encode_context(y)
    state = base.rsample(n, asked, temperature=temperature)
    asked = repeat_context(asked, n)
    assert isinstance(flow.transform, Compose)
    off = zero_log_det(state)
    for step in reversed(list(flow.transform)):
        if isinstance(step, Append):
            off = mean_off(base, state, asked)
        state = step.inverse(state, asked)[0]
    return JointSample(state, off)


@torch.no_grad()
def rule_error(flow: Flow, x: X, y: Context) -> PerSample:
    """How far the flow is from handing the condition on: mean ``|f_Y(x, y') - y'|`` of each event.

    Args:
        flow: A joint flow.
        x: Events, ``(b, *event_shape)``.
        y: Their conditions.

    Returns:
        In the condition's standard units, ``(b,)``.

    Raises:
        ValueError: If the flow is another, or the events do not fit.
    """
    base = rule_of(flow)
    flow.check_event(x, y)
    asked = flow.encode_context(y)
    return mean_off(base, flow.transform.encode(x, asked), asked)


def mean_off(base: NormalAndRule, u: Tensor, asked: Context | None) -> PerSample:
    """The mean distance of the condition in ``u`` from the one asked for, ``(b,)``."""
    y = base.asked(asked)
    return sum_event((base.parts(u)[1] - y).abs()) / math.prod(y.shape[1:])


def conditional_log_prob(flow: Flow, x: X, y: Context) -> PerSample:
    r"""``ln N(f_Z(x, y'); 0, I) + ln |det df_Z/dx|``: the likelihood given the condition.

    It is ``log p(x | y')`` of the conditional flow that a joint flow is once it hands the condition
    on, without the other blocks of the Jacobian, which ``flow.log_prob`` contains. The cost is as
    many passes as an event has numbers.

    Args:
        flow: A joint flow over real numbers; noise of training is left out.
        x: Events, ``(b, *event_shape)``.
        y: Their conditions.

    Returns:
        Nats, ``(b,)``.

    Raises:
        ValueError: If the flow is another, the events do not fit, are integers, or have more than
            16 numbers.
    """
    base = rule_of(flow)
    flow.check_event(x, y)
    size = math.prod(flow.event_shape)
    if size > LARGEST_JACOBIAN or not x.is_floating_point():
        raise ValueError(
            f"x: expected events of at most {LARGEST_JACOBIAN} real numbers, whose Jacobian can be "
            f"taken, got {size} of {x.dtype}"
        )
    training = flow.training
    try:
        flow.eval()
        asked = base.asked(flow.encode_context(y))

        def of_one(one: Tensor, condition: Tensor) -> Tensor:
            z = base.parts(flow.transform(one[None], condition[None])[0])[0]
            return z[0].flatten()

        with plain():
            z = base.parts(flow.transform.encode(x, asked))[0]
            jacobian = torch.func.vmap(torch.func.jacrev(of_one))(x, asked)
    finally:
        flow.train(training)
    log_det = torch.linalg.slogdet(jacobian.reshape(len(x), size, size)).logabsdet
    log_prob: Tensor = base.normal(z) + log_det
    return log_prob
