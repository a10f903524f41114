"""Batches of an image set: shuffled for training, in order for evaluation."""

from __future__ import annotations

from collections.abc import Iterator

from torch import Tensor
from torch.utils.data import Sampler

from lambent.data.order import shuffled
from lambent.data.set import EventSet


class ShuffledBatches(Sampler[Tensor]):
    """Yields shuffled batches of indices as a pure function of (seed, epoch, step).

    No generator is kept, so a run resumed at an epoch sees the batches it would have seen. Give
    it to a loader as ``DataLoader(images, sampler=batches, batch_size=None)``: each index tensor
    is then looked up in one go.

    Args:
        size: Number of images.
        batch_size: Number of images a batch; if larger than ``size``, one batch holds them all.
        seed: Chooses the orders.
        drop_last: Whether to leave out a last batch smaller than the others.

    Raises:
        ValueError: If a number is out of range.

    Example:
        >>> [len(batch) for batch in ShuffledBatches(10, 4, seed=0, drop_last=False)]
        [4, 4, 2]
    """

    def __init__(self, size: int, batch_size: int, seed: int, *, drop_last: bool = True) -> None:
        for name, value in (("size", size), ("batch_size", batch_size)):
            if value < 1:
                raise ValueError(f"{name}: expected a number from 1, given {value}")
        if seed < 0:
            raise ValueError(f"seed: expected a number from 0, given {seed}")
        self.size = size
        self.batch_size = min(batch_size, size)
        self.seed = seed
        self.drop_last = drop_last
        self.epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch that the next iteration belongs to; without it, epoch 0 repeats.

        Args:
            epoch: The epoch, from 0.

        Raises:
            ValueError: If it is negative.
        """
        if epoch < 0:
            raise ValueError(f"epoch: expected a number from 0, given {epoch}")
        self.epoch = epoch

    def __iter__(self) -> Iterator[Tensor]:
        """Yield the batches of the epoch, each int64 (batch_size,)."""
        order = shuffled(self.size, self.seed, self.epoch)
        for step in range(len(self)):
            yield order[step * self.batch_size : (step + 1) * self.batch_size]

    def __len__(self) -> int:
        """Return the number of batches of an epoch."""
        whole, left = divmod(self.size, self.batch_size)
        return whole if self.drop_last or left == 0 else whole + 1


def batches(images: EventSet, batch_size: int) -> Iterator[tuple[Tensor, Tensor | None]]:
    """Yield an image set in its order.

    Args:
        images: The set.
        batch_size: Number of images a batch; the last may be smaller.

    Yields:
        The images of a batch, uint8 (b, c, h, w), and their labels, int64 (b,), or None.

    Raises:
        ValueError: If ``batch_size`` is not positive.
    """
    if batch_size < 1:
        raise ValueError(f"batch_size: expected a number from 1, given {batch_size}")
    for start in range(0, len(images), batch_size):
        yield images[start : start + batch_size]
