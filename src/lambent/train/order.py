"""The order of the training images, taken up again where a run was interrupted."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from torch import Tensor

from lambent.data import ShuffledBatches


class TrainingOrder(ShuffledBatches):
    """Shuffled batches, of which the first epoch may start in its middle.

    Args:
        size: Number of images.
        batch_size: Number of images a batch.
        seed: Chooses the orders.
        taken: Batches that a run which is taken up again has seen.
    """

    def __init__(self, size: int, batch_size: int, seed: int, taken: int = 0) -> None:
        super().__init__(size, batch_size, seed)
        self.epoch, self.skip = divmod(taken, len(self))

    def __iter__(self) -> Iterator[Tensor]:
        """Yield the batches of the epoch that are left."""
        skip, self.skip = self.skip, 0
        yield from islice(super().__iter__(), skip, None)
