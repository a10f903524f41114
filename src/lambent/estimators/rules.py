"""What a fit does with so many rows and columns: plain rules, no search."""

from __future__ import annotations

import math
from dataclasses import dataclass

from lambent.flows import NSFConfig
from lambent.train.rows import RowsConfig

FEWEST = 100
"""Rows below which nothing is trained: the law is the normal one."""
_SMALL, _LARGE = 1_000, 5_000
"""Rows below which parts are held out in turn, and from which on none are learned again."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How a flow is built and trained."""

    flow: NSFConfig
    """The flow behind the step that whitens."""
    training: RowsConfig
    """The loop."""
    held_out: tuple[int, ...]
    """Rows of each part that is held out in turn."""
    again: bool
    """Whether a flow is then trained on all rows, for as long as was best."""


def plan(rows: int, columns: int, context: int | None = None) -> Plan:
    """The sizes for a table.

    Args:
        rows: Of the table.
        columns: Of what is modelled.
        context: Numbers in a row of context, where there is one.

    Returns:
        The plan.
    """
    batch = 2 ** round(math.log2(min(max(rows / 16, 32), 512)))
    steps = 150 if rows < _SMALL else min(200 * rows // batch, 20_000)
    training = RowsConfig(
        steps=steps,
        batch_size=batch,
        learning_rate=5e-3 if 200 <= rows < _SMALL else 3e-3,
        weight_decay=1e-2 if rows < _LARGE else 1e-4,
        noise=rows**-0.5,
        check_every=max(5, steps // 100),
        patience=8 if rows < _LARGE else 15,
    )
    held_out: tuple[int, ...] = (min(max(rows // 10, min(rows // 5, 1_000)), 5_000),)
    if rows < _SMALL:
        held_out = (rows // 3,) * 3
    flow = _flow(rows, columns, context)
    return Plan(flow=flow, training=training, held_out=held_out, again=rows < _LARGE)


def _flow(rows: int, columns: int, context: int | None) -> NSFConfig:
    """The flow behind the step that whitens: wider and deeper where there is more to learn from."""
    many = rows >= _LARGE
    width = 32 if rows < _SMALL else 64 if rows < 50_000 else 128
    transforms = 2 if rows < _SMALL else 3 if rows < 50_000 else 4
    bins = 16 if many else 8
    if columns > 50:  # the splines' numbers, 3 bins - 1 a column, are most of the work
        transforms, bins = min(transforms, 3), 5
    return NSFConfig(
        shape=(columns,),
        context_features=context,
        transforms=transforms,
        layers=1 if rows < _SMALL else 2,
        width=max(width, min(columns, 256)),
        bins=bins,
        spline_bound=10.0 if many else 6.0,
        norm="none",
    )
