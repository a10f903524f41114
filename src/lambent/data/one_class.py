"""Batches of one class each."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from jaxtyping import Int64
from torch import Tensor

from lambent.data.order import shuffled


class OneClassBatches:
    """Shuffled batches of one class each, in an order that is drawn for each epoch.

    What is left of a class after its whole batches is left out of the epoch.

    Args:
        labels: The label of each event, ``(n,)``.
        batch_size: Number of events a batch.
        seed: Chooses the orders.

    Raises:
        ValueError: If a class has fewer events than a batch.

    Example:
        >>> batches = OneClassBatches(torch.tensor([0, 1, 0, 1, 1]), 2, seed=0)
        >>> len(batches), sorted(len(batch) for batch in batches.of_epoch(0))
        (2, [2, 2])
    """

    def __init__(self, labels: Int64[Tensor, " n"], batch_size: int, seed: int) -> None:
        self.batch_size, self.seed = batch_size, seed
        self.rows = [torch.nonzero(labels == k)[:, 0] for k in labels.unique().tolist()]
        fewest = min(len(rows) for rows in self.rows)
        if fewest < batch_size:
            raise ValueError(
                f"one_class_batches: expected at least a batch of {batch_size} images of each "
                f"class, got one of {fewest}"
            )

    def __len__(self) -> int:
        """Return the number of batches of an epoch."""
        return sum(len(rows) // self.batch_size for rows in self.rows)

    def of_epoch(self, epoch: int) -> Iterator[Tensor]:
        """Yield the batches of an epoch, each int64 (batch_size,).

        Args:
            epoch: The epoch, from 0.

        Yields:
            Numbers of events of one class.
        """
        found: list[Tensor] = []
        for k, rows in enumerate(self.rows):
            mixed = rows[shuffled(len(rows), self.seed, epoch, k)]
            found += mixed[: len(rows) // self.batch_size * self.batch_size].split(self.batch_size)
        for i in shuffled(len(found), self.seed, epoch, len(self.rows)).tolist():
            yield found[i]
