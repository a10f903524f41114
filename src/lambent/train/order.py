"""The order of the training images, taken up again where a run was interrupted."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from torch import Tensor

from lambent.data import ShuffledBatches

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
    ) -> None:
        super().__init__(size, batch_size, seed)
        if self.batch_size % (parts * ranks):
            raise ValueError(
                f"batch_size: expected a multiple of {ranks} processes times {parts} parts, "
                f"got batches of {self.batch_size} images"
            )
        self.parts, self.rank, self.ranks, self.draw = parts, rank, ranks, draw
        self.epoch, self.skip = divmod(taken, super().__len__())

    def __iter__(self) -> Iterator[Tensor]:
        """Yield this process's parts of the batches of the epoch that are left."""
        skip, self.skip = self.skip, 0
        for step, batch in enumerate(super().__iter__()):
            if step >= skip:
                reads = batch if self.draw is None else self.draw(batch, self.epoch, step)
                yield from reads[self.rank :: self.ranks].chunk(self.parts)

    def __len__(self) -> int:
        """Return the number of parts of an epoch."""
        return super().__len__() * self.parts
