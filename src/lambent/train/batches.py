"""The batches of a run: the first one, those it trains on, and those it validates on."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from lambent.data import EventSet, ImageSet, OneClassBatches, ShuffledBatches, Windows
from lambent.train.config import TrainConfig
from lambent.train.order import TrainingOrder
from lambent.train.processes import Processes
from lambent.types import Size

VALIDATED_PIXELS = 2**20
"""Pixels, each channel counted, that a batch of a validation may have if more than the step's."""

Batch = tuple[Tensor, Tensor | None]
"""Images ``(b, c, h, w)`` and their labels ``(b,)``."""


def first_batch(
    images: EventSet, shape: Size, config: TrainConfig, seed: int
) -> Callable[[], Batch]:
    """What looks up the first images of a shuffle, their centres where they are too large.

    Args:
        images: The set.
        shape: Of an event, (channels, height, width).
        config: How many, at most, and whether they may be larger than events.
        seed: Of the shuffle.

    Returns:
        A function without arguments.
    """

    def look_up() -> Batch:
        first = next(iter(ShuffledBatches(len(images), config.initialization_batch, seed)))
        if not config.random_crop:
            return images[first]
        windows = windows_of(images, shape)
        return windows[windows.centres(first)]

    return look_up


def training_batches(
    images: EventSet,
    shape: Size,
    config: TrainConfig,
    seed: int,
    *,
    taken: int,
    workers: int,
    together: Processes,
) -> DataLoader[Any]:
    """The batches that a process trains on.

    Args:
        images: The set; where its images are larger than events, windows are cut out anywhere.
        shape: Of an event, (channels, height, width).
        config: The size of a step and of its parts, shifts and flips.
        seed: Of the order and the windows.
        taken: Steps that a run which is taken up again has behind it.
        workers: Processes that load data, beside this one.
        together: The processes that train.

    Returns:
        A loader that goes on where it stopped.
    """
    moves = config.shift > 0 or config.flip or config.random_crop
    windows = windows_of(images, shape, config.shift) if moves else None

    def draw(index: Tensor, epoch: int, step: int) -> Tensor:
        assert windows is not None
        return windows.anywhere(index, (seed, epoch, step), flip=config.flip)

    order = TrainingOrder(
        len(images),
        config.batch_size,
        seed,
        taken=taken,
        parts=config.accumulate,
        rank=together.rank,
        ranks=together.size,
        draw=draw if moves else None,
        labels=labels_of_batches(images, config),
    )
    return _loader(images if windows is None else windows, order, workers)


def labels_of_batches(images: EventSet, config: TrainConfig) -> Tensor | None:
    """The labels of a set, where each step is to be of one class.

    Args:
        images: The set.
        config: Whether it is, and the size of a step.

    Returns:
        The labels; nothing where steps are of all classes.

    Raises:
        ValueError: If there are none, or a class has fewer images than a step.
    """
    if not config.one_class_batches:
        return None
    if images.labels is None:
        raise ValueError("one_class_batches: expected labelled images, got none")
    OneClassBatches(images.labels, config.batch_size, 0)
    return images.labels


def validation_batches(
    images: EventSet, shape: Size, config: TrainConfig, together: Processes
) -> DataLoader[Any]:
    """The batches that a process validates on, in order, at the centre of larger images.

    Args:
        images: The set.
        shape: Of an event, (channels, height, width).
        config: The size of a step, and whether images may be larger than events.
        together: The processes, each of which takes its share of the batches.

    Returns:
        A loader; its batches have 256 images, or fewer where they are large, or 8192 rows.

    Raises:
        ValueError: If there are fewer images than processes.
    """
    if len(images) < together.size:
        raise ValueError(
            f"validation: expected an image for each of {together.size} processes, "
            f"got {len(images)}"
        )
    most = 256 if len(shape) > 1 else 8192
    room = max(config.batch_size, min(most, VALIDATED_PIXELS // math.prod(shape)))
    index = torch.arange(len(images)).split(min(room, len(images) // together.size))
    mine: list[Tensor] = list(index)[together.rank :: together.size]
    if not config.random_crop:
        return _loader(images, mine, 0)
    windows = windows_of(images, shape)
    return _loader(windows, [windows.centres(rows) for rows in mine], 0)


def windows_of(images: EventSet, shape: Size, shift: float = 0.0) -> Windows:
    """Windows of the size of an event.

    Args:
        images: The set.
        shape: Of an event.
        shift: How far a window may leave its image.

    Returns:
        The windows.

    Raises:
        ValueError: If the events are no images.
    """
    if not isinstance(images, ImageSet):
        raise ValueError(
            f"shift, flip, random_crop: expected images, got events of shape {tuple(shape)}"
        )
    return Windows(images, (shape[1], shape[2]), shift)


def _loader(images: Dataset[Any], batches: Iterable[Tensor], workers: int) -> DataLoader[Any]:
    """A loader that looks whole batches up, and leaves torch's global generator alone."""
    return DataLoader(
        images,
        sampler=batches,
        batch_size=None,
        collate_fn=tuple,
        num_workers=workers,
        persistent_workers=workers > 0,
        generator=torch.Generator(),
    )
