"""Whether a table is the published one, by a figure that needs no training."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lambent.cli.tabular.leaderboard import GAUSSIAN, reported
from lambent.data.published import PUBLISHED, Splits, load_published
from lambent.evaluate import gaussian_log_prob

TOLERANCE = 0.05
"""Nats that the computed figure may be from the published one.

That has two decimals and does not say whether the normal also saw the validation rows.
"""


def check_table(name: str, splits: Splits) -> dict[str, Any]:
    """Measure the normal of full covariance on a table, and compare it with what was published.

    Args:
        name: Of the table.
        splits: Its rows.

    Returns:
        ``log_likelihood`` and ``standard_error`` of a test row in nats, ``published``, whether it
        ``agrees``, and the sizes of the table.
    """
    nats = gaussian_log_prob(splits.train.rows, splits.test.rows)
    found, published = float(nats.mean()), reported(GAUSSIAN, name)
    assert published is not None
    return {
        "log_likelihood": found,
        "standard_error": float(nats.std() / math.sqrt(len(nats))),
        "published": published,
        "agrees": abs(found - published) <= TOLERANCE,
        "features": splits.features,
        "rows": {part: len(rows) for part, rows in vars(splits).items()},
    }


def check_tables(found: Mapping[str, Path]) -> dict[str, dict[str, Any]]:
    """Check tables one after the other, each in memory by itself.

    Args:
        found: Their files.

    Returns:
        What :func:`check_table` says of each.
    """
    return {name: check_table(name, load_published(name, path)) for name, path in found.items()}


def disagreement(checks: Mapping[str, Mapping[str, Any]]) -> str | None:
    """Say which tables are not the published ones.

    Args:
        checks: What :func:`check_table` says of each.

    Returns:
        One line; nothing where all agree.
    """
    others = [
        f"{name} {check['log_likelihood']:.2f} (published {check['published']:.2f})"
        for name, check in checks.items()
        if not check["agrees"]
    ]
    if not others:
        return None
    return (
        f"the normal of full covariance comes more than {TOLERANCE} nats from its published "
        f"figure on {', '.join(others)}"
    )


def left_out(root: Path, found: Mapping[str, Path]) -> str | None:
    """Say which tables are not there.

    Args:
        root: Where they were looked for.
        found: Those that are.

    Returns:
        One line; nothing where all are.
    """
    missing = [f"{name} ({places(name)})" for name in PUBLISHED if name not in found]
    return f"not in '{root}', and left out: {', '.join(missing)}" if missing else None


def places(name: str) -> str:
    """Where a table is looked for.

    Args:
        name: Of the table.

    Returns:
        The paths, as one says it.
    """
    table = PUBLISHED[name]
    if table.within:
        return " and ".join(f"{table.places[0]}/{file}" for file in table.within)
    return " or ".join(table.places)
