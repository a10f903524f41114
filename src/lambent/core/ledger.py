"""Where the likelihood comes from, step by step."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from lambent.core.flow import Flow
from lambent.core.transform import Entry
from lambent.types import Context, X

__all__ = ["Entry", "first_not_finite", "log_likelihood", "trace"]


def trace(flow: Flow, x: X, context: Context | None = None, *, states: bool = True) -> list[Entry]:
    """Every named step's contribution to the log-likelihood of some events.

    The entries' ``log_likelihood`` sum to ``flow.log_prob(x, context)`` under the same draws; the
    last entry, ``base``, is the log-density of the latent. Gradients flow, so an objective may read
    an inner ``z`` from here without a second pass.

    Args:
        flow: The flow.
        x: Events, ``(b, *event_shape)``.
        context: One row for each event.
        states: Whether entries hold what the steps put out. Without, the ``z`` of all but the last
            is empty, ``(b, 0)``, and without gradient memory does not grow with depth.

    Returns:
        One entry for each step, data to latent.
    """
    flow.check_event(x, context)
    context = flow.encode_context(context)
    entries: list[Entry] = []
    walk = flow.transform.walk(x, context)
    while True:
        try:
            entry = next(walk)
        except StopIteration as end:
            z = end.value
            break
        entries.append(entry if states else entry._replace(z=entry.z.new_empty(len(x), 0)))
    entries.append(Entry("base", z, flow.base(z, context)))
    return entries


def log_likelihood(entries: Sequence[Entry]) -> Tensor:
    """What a ledger sums to: nats, ``(b,)``."""
    total = entries[0].log_likelihood
    for entry in entries[1:]:
        total = total + entry.log_likelihood
    return total


def first_not_finite(entries: Sequence[Entry]) -> str | None:
    """The path of the first step that put out, or contributed, something not finite."""
    for entry in entries:
        if not (entry.z.isfinite().all() and entry.log_likelihood.isfinite().all()):
            return entry.path
    return None
