"""The figures found so far, on disk after every cell."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lambent.cli.tabular.cells import Cell
from lambent.cli.tabular.leaderboard import LEADERBOARD, TABLES
from lambent.cli.tabular.page import page
from lambent.files import replacing


class Results:
    """``results.json`` and ``results.md`` in a folder, each whole or not there.

    Args:
        folder: The folder.

    Raises:
        ValueError: If a ``results.json`` is there that this did not write.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.json = folder / "results.json"
        self.page = folder / "results.md"
        self.tables: dict[str, dict[str, Any]] = {}
        """What the check says of each table."""
        self.cells: dict[str, dict[str, Any]] = {}
        """The figures of each finished cell."""
        if not self.json.is_file():
            return
        try:
            found = json.loads(self.json.read_text())
            self.tables, self.cells = dict(found["tables"]), dict(found["cells"])
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(
                f"out: expected results of this command in '{self.json}', got other content"
            ) from error

    def has(self, cell: Cell) -> bool:
        """Whether a cell is finished.

        Args:
            cell: The cell.

        Returns:
            True if its figures are there.

        Raises:
            ValueError: If they are there, but of other settings.
        """
        if cell.key not in self.cells:
            return False
        differing = list(_differences(self.cells[cell.key].get("settings", {}), cell.settings()))
        if differing:
            raise ValueError(
                f"out: expected the settings that {cell.key} was finished with in "
                f"'{self.folder}', or another folder: {', '.join(differing)}"
            )
        return True

    def as_dict(self) -> dict[str, Any]:
        """All figures, the published ones too."""
        rows = [
            {"name": row.name, "source": row.source, **dict(zip(TABLES, row.figures, strict=True))}
            for row in LEADERBOARD
        ]
        return {"tables": self.tables, "cells": self.cells, "published": rows}

    def write(self) -> None:
        """Write both files."""
        with replacing(self.json) as path:
            path.write_text(json.dumps(self.as_dict(), indent=2) + "\n")
        with replacing(self.page) as path:
            path.write_text(page(self.tables, self.cells))


def _differences(own: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """Each setting that differs, as it was and as it is."""
    found = []
    for section, fields in now.items():
        before = own.get(section, {})
        for name in sorted({*before, *fields}):
            if before.get(name) != fields.get(name):
                found.append(f"{section}.{name} {before.get(name)} (now {fields.get(name)})")
    return found
