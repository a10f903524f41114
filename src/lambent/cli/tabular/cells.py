"""One cell of the table: a family on one of the tables, from one seed."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from lambent.core.device import pick_device
from lambent.core.flow import Flow
from lambent.core.registry import build
from lambent.core.seed import seeded
from lambent.data import EventSet
from lambent.data.published import Splits
from lambent.evaluate import score
from lambent.store import RunFolder
from lambent.train import TrainConfig, fit

AT_A_TIME = 2048
"""Test rows that are measured at once."""


@dataclass(frozen=True)
class Cell:
    """What is trained, on what, and how."""

    table: str
    """The table's name."""
    family: str
    """The family's name, or what its preset ``NAME_table`` calls it."""
    seed: int
    """Of the weights and the order of the rows."""
    model: tuple[str, dict[str, Any]]
    """The family and the settings of the preset."""
    config: TrainConfig
    """How it is trained."""

    @property
    def key(self) -> str:
        """Its name in the results, and its run folder's path under ``runs``."""
        return f"{self.table}/{self.family}/{self.seed}"

    def settings(self) -> dict[str, Any]:
        """What decides the cell's figure, as JSON reads it back."""
        train = dataclasses.asdict(self.config)
        train["loggers"] = list(train["loggers"])
        return {"model": {"family": self.model[0], **self.model[1]}, "train": train}

    def build(self, features: int) -> Flow:
        """The flow, untrained.

        Args:
            features: Columns of the table.

        Returns:
            The flow.

        Raises:
            ValueError: If its likelihood is not exact, so that it has no place in the table.
        """
        family, settings = self.model
        with seeded(self.seed):
            flow = build(family, {**settings, "shape": (features,)})
        if flow.likelihood != "exact":
            raise ValueError(
                f"families: expected those of an exact likelihood, got {self.family}, "
                f"whose is {flow.likelihood}"
            )
        return flow


def run_cell(cell: Cell, splits: Splits, folder: Path, device: str) -> dict[str, Any]:
    """Train a cell's flow, or go on where it was interrupted, and measure it on the test rows.

    Args:
        cell: The cell.
        splits: The table.
        folder: The run folder.
        device: Where to run.

    Returns:
        Its figures; log-likelihoods are nats a test row.

    Raises:
        FloatingPointError: If a loss, a gradient or a weight is not finite.
    """
    flow = cell.build(splits.features)
    fitted = fit(
        flow,
        splits.train,
        splits.validation,
        config=cell.config,
        out=folder,
        seed=cell.seed,
        device=device,
        resume=RunFolder(folder).config.is_file(),
        data_settings={"name": f"published {cell.table}"},
    )
    nats = nats_of(flow.to(pick_device(device)), splits.test)
    return {
        "log_likelihood": float(nats.mean()),
        "standard_error": float(nats.std() / math.sqrt(len(nats))),
        "parameters": sum(p.numel() for p in flow.parameters()),
        "steps": fitted.steps,
        "seconds": fitted.seconds,
        "precision": fitted.precision,
        "device": pick_device(device).type,
        "settings": cell.settings(),
    }


def nats_of(flow: Flow, rows: EventSet) -> Tensor:
    """The log-likelihood of each row.

    Args:
        flow: The flow.
        rows: The rows.

    Returns:
        Nats, float64 ``(n,)``.
    """
    bits: list[Tensor] = []
    score(flow, rows, bits.append, batch_size=AT_A_TIME)
    return -torch.cat(bits) * math.prod(flow.event_shape) * math.log(2)
