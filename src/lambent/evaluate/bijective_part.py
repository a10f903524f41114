"""The part of a flow that has a Jacobian."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from torch import Tensor

from lambent.core.compose import Compose
from lambent.core.flow import Flow
from lambent.core.transform import Transform
from lambent.types import Context


class BijectivePart(NamedTuple):
    """The last steps of a flow, all of them bijections, and where events stand before them."""

    transform: Compose
    """Those steps."""
    points: Tensor
    """What they are given of the events, ``(b, *)``."""
    context: Context | None
    """As the layers read it."""
    of: str
    """Which steps they are, in words."""


def bijective_part(flow: Flow, x: Tensor, context: Context | None = None) -> BijectivePart:
    """The steps of a flow after the last that is no bijection, and its events on their way there.

    A flow over integers rounds, or adds noise, before it is a smooth map. Events go through those
    steps as ``encode`` takes them, which draws nothing: an integer to the middle of its bin.

    Args:
        flow: The flow.
        x: Events, ``(b, *event_shape)``.
        context: One row for each event.

    Returns:
        The part.

    Raises:
        ValueError: If events do not fit the flow, or no bijection is left.
    """
    flow.check_event(x, context)
    steps = list(_flat(flow.transform))
    last = max((i for i, step in enumerate(steps) if not step.bijective), default=-1)
    if last + 1 == len(steps):
        raise ValueError(
            "flow: expected a bijection after the steps that are none, "
            f"got {type(steps[last]).__name__ if steps else 'no step'} as the last"
        )
    encoded = flow.encode_context(context)
    for step in steps[: last + 1]:
        x = step.encode(x, encoded)
    of = "all steps" if last < 0 else f"the steps after {type(steps[last]).__name__}"
    return BijectivePart(Compose(*steps[last + 1 :]), x, encoded, of)


def _flat(transform: Transform) -> Iterator[Transform]:
    """The steps of a chain, and of chains in it."""
    if not isinstance(transform, Compose):
        yield transform
        return
    for step in transform:
        yield from _flat(step)
