"""The order of the training images, taken up again where a run was interrupted."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from torch import Tensor

from lambent.data import OneClassBatches, ShuffledBatches

Draw = Callable[[Tensor, int, int], Tensor]
"""What to read of the images ``(b,)`` in an epoch and step: rows ``(b, ...)``."""


class TrainingOrder(ShuffledBatches):
    """Shuffled batches, of which the first epoch may start in its middle, in parts.

    A batch is shared by ``ranks`` processes, each of which takes its share in ``parts``; all of
    them together, in every epoch, read what one process would.

    Args:
        size: Number of images.
        batch_size: Number of images a batch.
        seed: Chooses the orders.
        taken: Batches that a run which is taken up again has seen.
        parts: Parts of a share, of equal size.
        rank: Number of this process.
        ranks: Number of processes.
        draw: What to read of the images; the images themselves if not given.
        labels: The labels of the images, where each batch is to be of one class.

    Raises:
        ValueError: If a batch cannot be shared evenly.
    """

    def __init__(
        self,
        size: int,
        batch_size: int,
        seed: int,
        *,
        taken: int = 0,
        parts: int = 1,
        rank: int = 0,
        ranks: int = 1,
        draw: Draw | None = None,
        labels: Tensor | None = None,
    ) -> None:
        super().__init__(size, batch_size, seed)
        if self.batch_size % (parts * ranks):
            raise ValueError(
                f"batch_size: expected a multiple of {ranks} processes times {parts} parts, "
                f"got batches of {self.batch_size} images"
            )
        self.parts, self.rank, self.ranks, self.draw = parts, rank, ranks, draw
        self.of_class = None if labels is None else OneClassBatches(labels, batch_size, seed)
        self.epoch, self.skip = divmod(taken, len(self) // parts)

    def __iter__(self) -> Iterator[Tensor]:
        """Yield this process's parts of the batches of the epoch that are left."""
        skip, self.skip = self.skip, 0
        of_class = self.of_class
        batches = super().__iter__() if of_class is None else of_class.of_epoch(self.epoch)
        for step, batch in enumerate(batches):
            if step >= skip:
                reads = batch if self.draw is None else self.draw(batch, self.epoch, step)
                yield from reads[self.rank :: self.ranks].chunk(self.parts)

    def __len__(self) -> int:
        """Return the number of parts of an epoch."""
        whole = super().__len__() if self.of_class is None else len(self.of_class)
        return whole * self.parts
