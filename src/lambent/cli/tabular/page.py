"""The table as a page: what was measured here, above what was published."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lambent.cli.tabular.leaderboard import LEADERBOARD, TABLES, reported
from lambent.data.published import PUBLISHED

Figures = Mapping[str, Mapping[str, Any]]
"""By the name of a table or the key of a cell."""

NOT_PUBLISHED = "†"


def page(tables: Figures, cells: Figures) -> str:
    """The page in markdown.

    Args:
        tables: What the check says of each table.
        cells: The figures of each finished cell.

    Returns:
        The text.
    """
    header, rows = measured(tables, cells)
    lines = [
        "# Published tables",
        "",
        "Nats a test row, ± 2 standard errors over the test rows; higher is better.",
        "",
        _line(header),
        "|---|" + "---:|" * len(TABLES),
        *(_line(row) for row in [*rows, *published()]),
        "",
        "Rows without a source were measured here; settings, steps and seconds of each cell are in "
        "`results.json`. Rows with one are quoted, without their errors, from papers and notes "
        "that quote them.",
    ]
    others = [name for name, check in tables.items() if not check["agrees"]]
    if others:
        lines += [
            "",
            f"{NOT_PUBLISHED} {', '.join(map(str.upper, others))}: the normal's figure is not the "
            "published one, so neither are the rows; figures of the two kinds do not compare.",
        ]
    return "\n".join([*lines, ""])


def measured(tables: Figures, cells: Figures) -> tuple[list[str], list[list[str]]]:
    """The rows measured here, the normal's first.

    Args:
        tables: What the check says of each table.
        cells: The figures of each finished cell.

    Returns:
        The names of the columns, and the rows.
    """
    header = ["", *(_name(table, tables) for table in TABLES)]
    normal = ["normal, full covariance", *(_figure(tables.get(table)) for table in TABLES)]
    runs = dict.fromkeys(tuple(key.split("/")[1:]) for key in cells)
    several = len({seed for _, seed in runs}) > 1
    rows = [normal]
    for family, seed in runs:
        of_tables = (_figure(cells.get(f"{table}/{family}/{seed}")) for table in TABLES)
        rows.append([f"`{family}`, seed {seed}" if several else f"`{family}`", *of_tables])
    return header, rows


def published() -> list[list[str]]:
    """The rows of the literature.

    Returns:
        The rows.
    """
    figures = [(row, [reported(row, table) for table in TABLES]) for row in LEADERBOARD]
    return [
        [f"{row.name}, {row.source}", *("" if f is None else f"{f:.2f}" for f in found)]
        for row, found in figures
    ]


def _name(table: str, tables: Figures) -> str:
    mark = "" if tables.get(table, {"agrees": True})["agrees"] else f" {NOT_PUBLISHED}"
    return f"{table.upper()} ({PUBLISHED[table].features}){mark}"


def _figure(found: Mapping[str, Any] | None) -> str:
    if found is None:
        return ""
    return f"{found['log_likelihood']:.2f} ± {2 * found['standard_error']:.2f}"


def _line(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"
