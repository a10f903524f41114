"""What can be said of a joint flow on a data set: how well it hands the condition on."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from lambent.core.flow import Flow
from lambent.core.seed import seeded
from lambent.data import EventSet
from lambent.evaluate.events import events
from lambent.flows import conditional_log_prob, is_joint, rule_error
from lambent.flows.joint_rule import LARGEST_JACOBIAN


@dataclass(frozen=True)
class JointEvaluation:
    """What :func:`measure_joint` found."""

    rule_error: float
    """Mean distance of the condition that comes out from the one that went in, in its units."""
    conditional_log_likelihood: float | None
    """Mean ``log p(x | y)`` in nats; nothing for events whose Jacobian is too large to be taken."""
    images: int
    """How many events."""


@torch.no_grad()
def measure_joint(
    flow: Flow, images: EventSet, *, batch_size: int = 256, seed: int = 0
) -> JointEvaluation:
    """Measure a joint flow on a data set.

    Its ``log_prob`` is left out: it is that of data and condition together, and may be large where
    the flow stretches gaps between conditions.

    Args:
        flow: A joint flow; put in eval mode.
        images: Events with labels or conditions.
        batch_size: Events at a time.
        seed: Of the dequantisation noise.

    Returns:
        The figures.

    Raises:
        ValueError: If the flow is another, or there are no conditions.
    """
    flow.eval()
    off: list[Tensor] = []
    nats: list[Tensor] = []
    computable = math.prod(flow.event_shape) <= LARGEST_JACOBIAN
    with seeded(seed):
        for x, context in events(flow, images, batch_size):
            if context is None:
                raise ValueError("data: expected events with labels or conditions, got neither")
            off.append(rule_error(flow, x, context).double())
            if computable and x.is_floating_point():
                nats.append(conditional_log_prob(flow, x, context).double())
    return JointEvaluation(
        rule_error=float(torch.cat(off).mean()),
        conditional_log_likelihood=float(torch.cat(nats).mean()) if nats else None,
        images=len(images),
    )


def check_not_joint(flow: Flow) -> None:
    """Raise for a flow whose ``log_prob`` is not that of its events.

    Args:
        flow: The flow.

    Raises:
        ValueError: If it is a joint flow.
    """
    if is_joint(flow):
        raise ValueError(
            "run: expected a model with a likelihood of its own events, got a joint flow, whose "
            "log_prob is that of data and condition together; 'evaluate' measures it"
        )
