"""What commands print: a table for people, or one JSON object."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Mapping
from typing import Any


def report(title: str, figures: Mapping[str, Any], *, as_json: bool) -> None:
    """Print figures on standard output.

    Args:
        title: Heading of the table.
        figures: Name to number, text, nothing, or a nested mapping.
        as_json: One JSON object instead of a table; numbers that are not finite become null.
    """
    if as_json:
        sys.stdout.write(json.dumps(_finite(figures)) + "\n")
        return
    from rich.console import Console
    from rich.table import Table

    table = Table(title=title, title_justify="left", show_header=False, box=None, pad_edge=False)
    table.add_column(style="bold")
    table.add_column(justify="left")
    for name, value in _rows(figures):
        table.add_row(name, value)
    Console(highlight=False, soft_wrap=True).print(table)


def _rows(figures: Mapping[str, Any], indent: str = "") -> list[tuple[str, str]]:
    rows: list[tuple[str, str]] = []
    for name, value in figures.items():
        label = indent + name.replace("_", " ")
        if isinstance(value, Mapping):
            rows += [(label, ""), *_rows(value, indent + "  ")]
        elif value is not None:
            rows.append((label, _text(value)))
    return rows


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.4f}" if abs(value) < 1000 else f"{value:,.0f}"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, (list, tuple)):
        return ", ".join(_text(v) for v in value)
    return str(value)


def _finite(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(k): _finite(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(v) for v in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
