"""What a fit does with so many rows and columns: plain rules, no search."""

from __future__ import annotations

import math
from dataclasses import dataclass

from lambent.flows import NSFConfig
from lambent.train.rows import RowsConfig

FEWEST = 100
"""Rows below which nothing is trained: the law is the normal one."""
FOLDS = 4
"""Parts of a table of few rows, each held out in turn."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How a flow is built and trained."""

    flow: NSFConfig
    """The flow behind the step that whitens."""
    training: RowsConfig
    """The loop."""
    folds: int
    """How many parts are held out in turn; 1 for a single part."""
    held_out: int
    """Rows of that single part."""


def plan(rows: int, columns: int, context: int | None = None) -> Plan:
    """The sizes for a table.

    Args:
        rows: Of the table.
        columns: Of what is modelled.
        context: Numbers in a row of context, where there is one.

    Returns:
        The plan.
    """
    width = 32 if rows < 1_000 else 64 if rows < 5_000 else 128 if rows < 100_000 else 256
    transforms = 2 if rows < 1_000 else 3 if rows < 5_000 else 5
    if columns > 50:  # the splines' parameters, 3 bins - 1 a column, are most of the work
        transforms = min(transforms, 3)
    batch = 2 ** round(math.log2(min(max(rows / 16, 32), 512)))
    steps = 300 if rows < 1_000 else min(200 * rows // batch, 20_000)
    flow = NSFConfig(
        shape=(columns,),
        context_features=context,
        transforms=transforms,
        layers=1 if rows < 1_000 else 2,
        width=max(width, min(columns, 256)),
        bins=8 if columns <= 50 else 5,
        spline_bound=4.0,
        norm="none",
    )
    training = RowsConfig(
        steps=steps,
        batch_size=batch,
        learning_rate=2e-3 if rows < 5_000 else 1e-3,
        weight_decay=1e-2 if rows < 5_000 else 1e-4,
        noise=rows**-0.5,
        check_every=max(10, steps // 100),
        patience=6 if rows < 5_000 else 15,
    )
    folds = FOLDS if rows < 2_000 else 1
    held_out = max(rows // 10, min(rows // 5, 1_000))
    return Plan(flow=flow, training=training, folds=folds, held_out=min(held_out, 10_000))
