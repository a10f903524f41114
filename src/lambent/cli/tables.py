"""Tables as the commands meet them: read as a model knows its columns, and written as they were."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from lambent.cli.output import writing
from lambent.core.flow import Flow
from lambent.data import ColumnFacts, DataConfig, EventSet, arrow_from, load_events, load_table
from lambent.data.read_table import is_table
from lambent.store import RunFolder, folder_named, write_arrow


def load_for(flow: Flow, name: str, data: DataConfig) -> EventSet:
    """Load events for a model: a table by the columns that the model was trained on.

    Args:
        flow: The model.
        name: What ``--data`` says.
        data: Which rows.

    Returns:
        The set.

    Raises:
        ValueError: As :func:`lambent.data.load_events`; also if a column is missing, or holds
            what the model does not know.
    """
    if not is_table(name):
        return load_events(name, replace(data, columns=None, drop=None, kinds=None, context=None))
    columns = known_columns(flow)
    if columns:
        return load_table(name, data, columns, known_context(flow))
    return load_events(name, data)


def known_columns(flow: Flow) -> tuple[ColumnFacts, ...]:
    """The columns of the table that a flow models; none where it models none."""
    return _field(flow, "columns")


def known_context(flow: Flow) -> tuple[ColumnFacts, ...]:
    """The columns of a table that a flow is given; none where it is given none."""
    return _field(flow, "context_columns")


def _field(flow: Flow, name: str) -> tuple[ColumnFacts, ...]:
    return (None if flow.recipe is None else getattr(flow.recipe[1], name, None)) or ()


def write_rows(path: Path, run_named: str, flow: Flow, rows: Tensor, given: Tensor | None) -> None:
    """Write rows that a model made, in the types and by the names of its table.

    Args:
        path: The file, .parquet, .csv or .npz.
        run_named: The run, which tells the names of columns where the model does not.
        flow: The model.
        rows: The rows, ``(n, d)``.
        given: What each was given, ``(n, k)``, if that was columns.

    Raises:
        ValueError: If the file cannot be written.
    """
    columns = known_columns(flow) or _plain(run_named, rows.shape[1])
    context = known_context(flow)
    if given is not None and context:
        rows, columns = torch.cat((rows.double(), given.double()), 1), (*columns, *context)
    table = arrow_from(rows.double().cpu().numpy(), columns)
    with writing(path):
        write_arrow(path, table)


def _plain(run_named: str, count: int) -> tuple[ColumnFacts, ...]:
    """Columns of which only the names are known, or not even those."""
    run = RunFolder(folder_named(run_named))
    recorded: dict[str, Any] = run.read_config().get("data") or {} if run.config.is_file() else {}
    names = recorded.get("column_names") or [f"x{i}" for i in range(count)]
    return tuple(ColumnFacts(name=str(name), kind="real", dtype="float") for name in names)
