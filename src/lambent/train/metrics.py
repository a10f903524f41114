"""``metrics.csv``: one row for each logged number of steps taken, kept across a resume."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

from lightning.pytorch.loggers.logger import Logger
from lightning.pytorch.utilities import rank_zero_only

from lambent.files import replacing


class MetricsFile(Logger):
    """A logger that rewrites one CSV file, whole, whenever it is saved.

    Args:
        path: The file; rows already in it are kept up to the step at which logging goes on.
    """

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path
        self.rows = read_metrics(path) if path.exists() else {}
        self.started = False

    @property
    def name(self) -> str:
        """The file's name."""
        return self.path.name

    @property
    def version(self) -> str:
        """There is only one."""
        return ""

    def log_hyperparams(self, params: Any, *args: Any, **kwargs: Any) -> None:
        """Nothing: they are in ``config.yaml``."""

    @rank_zero_only
    def log_metrics(self, metrics: dict[str, float], step: int | None = None) -> None:
        """Put figures into the row of a number of steps taken."""
        step = int(step or 0)
        if not self.started:
            self.rows = {s: row for s, row in self.rows.items() if s < step}
            self.started = True
        row = self.rows.setdefault(step, {})
        row.update({k: float(v) for k, v in metrics.items() if k != "epoch"})

    @rank_zero_only
    def save(self) -> None:
        """Write the file."""
        names = sorted({name for row in self.rows.values() for name in row})
        with replacing(self.path) as path, path.open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["step", *names])
            for step in sorted(self.rows):
                row = self.rows[step]
                writer.writerow([step, *(f"{row[n]:.9g}" if n in row else "" for n in names)])

    @rank_zero_only
    def finalize(self, status: str) -> None:
        """Write the file for the last time."""
        self.save()


def read_metrics(path: Path) -> dict[int, dict[str, float]]:
    """The rows of a ``metrics.csv`` by step, empty cells left out."""
    with path.open(newline="") as file:
        return {
            int(row.pop("step")): {k: float(v) for k, v in row.items() if v}
            for row in csv.DictReader(file)
        }
