"""``lambent score`` of a table: the table again, with the log-density of each row."""

from __future__ import annotations

import torch
from jsonargparse import Namespace
from torch import Tensor

from lambent.cli.output import report, writing
from lambent.cli.progress import progress
from lambent.core.flow import Flow
from lambent.core.units import units_of
from lambent.data import DataConfig, Table
from lambent.data.read_table import stored_rows
from lambent.evaluate import score
from lambent.store import write_arrow

LOG_DENSITY = "log_density"
"""The column that is added, in nats."""


def score_table(flow: Flow, table: Table, options: Namespace, data: DataConfig) -> None:
    """Write a table with a column ``log_density``, in nats, and report its mean.

    Args:
        flow: The model.
        table: The rows.
        options: Those of the command.
        data: Which rows they are.

    Raises:
        ValueError: If the file cannot be written, or there is such a column already.
    """
    rows = stored_rows(options.data, data)
    if LOG_DENSITY in rows.column_names:
        raise ValueError(f"data: expected no column '{LOG_DENSITY}', which is added, given one")
    found: list[Tensor] = []
    with progress("score", len(table)) as done:

        def each(bits: Tensor) -> None:
            found.append(bits)
            done(len(bits))

        score(
            flow,
            table,
            each,
            batch_size=options.batch_size,
            seed=options.seed,
            importance_samples=options.importance_samples,
        )
    nats = units_of(flow).factor * torch.cat(found).double()
    with writing(options.out):
        write_arrow(options.out, rows.append_column(LOG_DENSITY, [nats.numpy()]))
    figures = {
        "rows": len(table),
        units_of(flow).figure: float(nats.mean()),
        "standard_error": float(nats.std() / len(nats) ** 0.5),
        "likelihood": flow.likelihood,
        "weights": None if options.weights == "model" else options.weights,
        "out": str(options.out),
    }
    report(f"scores of {table.name}, {data.split}", figures, as_json=options.json)
