"""From a source's chosen rows to a set: every picture looked at, the faulty ones counted."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from functools import partial

import numpy as np
import numpy.typing as npt
import torch

from lambent.data.config import DataConfig
from lambent.data.images import Images
from lambent.data.on_disk import OnDisk, difference, image_of
from lambent.data.source import Numbered, Row, Source
from lambent.errors import DataWarning

MEMORY = 2**31
"""Bytes of pixels up to which a set is decoded into memory: a quarter of a small laptop's."""

Chosen = Mapping[str, npt.NDArray[np.bool_]]
"""Which rows of which splits of a source."""


class Inspection:
    """Looks at pictures one by one: all have to be readable, and as the first good one is.

    Args:
        config: What is done to them.
        alike: Whether their sizes have to agree, beside their channels.
    """

    def __init__(self, config: DataConfig, *, alike: bool = True) -> None:
        self.config = config
        self.alike = alike
        self.shape: tuple[int, ...] | None = None
        """Of the first good picture."""
        self.labelled: bool | None = None
        """Whether it has a label."""
        self.good = 0
        self.faults: list[str] = []

    def look(self, row: Row) -> npt.NDArray[np.uint8] | None:
        """Decode a picture; nothing if it is at fault.

        Args:
            row: Its row.

        Returns:
            Its pixels, (c, h, w).

        Raises:
            ValueError: If it has a label and others have none, or the other way round.
        """
        try:
            image = image_of(row, self.config)
            parts = 3 if self.alike else 1
            if self.shape is not None and image.shape[:parts] != self.shape[:parts]:
                raise ValueError(difference(self.shape, image.shape, row.where))
        except ValueError as error:
            self.faults.append(str(error))
            return None
        if self.shape is None:
            self.shape, self.labelled = image.shape, row.label is not None
        if (row.label is not None) != self.labelled:
            raise ValueError(f"data: expected a label for every image or none; {row.where} differs")
        self.good += 1
        return image

    def judge(self) -> None:
        """Refuse the set for its faulty pictures, or warn of those that are left out.

        Raises:
            ValueError: If there are any and they are not to be skipped, or no other is left.
        """
        if not self.faults:
            return
        count = f"{len(self.faults)} of {self.good + len(self.faults)} pictures are at fault"
        if self.config.on_error == "refuse" or self.good == 0:
            hint = ", and --data-on_error skip leaves them out" if self.good else ""
            raise ValueError(f"{self.faults[0]}; {count}{hint}")
        some = " | ".join(fault.removeprefix("data: ") for fault in self.faults[:3])
        warnings.warn(f"{count} and left out: {some}", DataWarning, stacklevel=4)


def into_memory(source: Source, chosen: Chosen, config: DataConfig) -> Images | None:
    """Decode the chosen rows into one array, so that no second copy is ever held.

    Args:
        source: The source.
        chosen: Which rows.
        config: What is done to them, and whether they have to fit.

    Returns:
        The set; nothing if ``in_memory`` is open and it takes more than ``MEMORY``.

    Raises:
        ValueError: If pictures are at fault.
    """
    size = sum(int(keep.sum()) for keep in chosen.values())
    images = np.empty((0, 0, 0, 0), dtype=np.uint8)
    labels = np.full(size, -1, dtype=np.int64)
    seen = Inspection(config)
    for row in _rows(source, chosen):
        image = seen.look(row)
        if image is None:
            continue
        if seen.good == 1:
            if config.in_memory is None and size * image.size > MEMORY:
                return None
            images = np.empty((size, *image.shape), dtype=np.uint8)
        images[seen.good - 1] = image
        labels[seen.good - 1] = -1 if row.label is None else row.label
    seen.judge()
    return Images(
        torch.from_numpy(images[: seen.good]),
        torch.from_numpy(labels[: seen.good]) if seen.labelled else None,
        grey_levels=source.grey_levels,
        class_names=source.class_names if seen.labelled else None,
        name=source.name,
    )


def on_disk(source: Numbered, chosen: Chosen, config: DataConfig, *, alike: bool = True) -> OnDisk:
    """Leave the chosen rows where they are; look at each once, if the config says so.

    Args:
        source: The source.
        chosen: Which rows.
        config: What is done to them.
        alike: Whether their sizes have to agree; else a window has to fit into each.

    Returns:
        The set.

    Raises:
        ValueError: If pictures are at fault.
    """
    index = _numbers(source.counts, chosen)
    rows = partial(row_of, source)
    seen = Inspection(config, alike=alike)
    good = np.zeros(len(index), dtype=np.bool_)
    least = np.full(2, np.iinfo(np.int64).max)
    for place, number in enumerate(index):
        image = seen.look(rows(int(number)))
        if image is not None:
            good[place] = True
            least = np.minimum(least, image.shape[1:])
        if not config.check and seen.good:
            good[:] = True
            break
    seen.judge()
    assert seen.shape is not None
    kept = index[good]
    height, width = (int(side) for side in least)
    if not (alike or config.check):  # others may lie the other way
        height = width = min(height, width)
    labels = _labels(source, kept) if seen.labelled else None
    return OnDisk(
        rows,
        torch.from_numpy(kept),
        config,
        (seen.shape[0], height, width),
        labels=labels,
        grey_levels=source.grey_levels,
        class_names=source.class_names if seen.labelled else None,
        name=source.name,
    )


def row_of(source: Numbered, number: int) -> Row:
    """A row by its number in all splits of a source, one after the other.

    Args:
        source: The source.
        number: From 0.

    Returns:
        The row.
    """
    for split, count in source.counts.items():
        if number < count:
            return source.row(split, number)
        number -= count
    raise IndexError(number)


def _rows(source: Source, chosen: Chosen) -> Iterator[Row]:
    for split, keep in chosen.items():
        for row, wanted in zip(source.rows(split), keep, strict=True):
            if wanted:
                yield row


def _numbers(counts: Mapping[str, int], chosen: Chosen) -> npt.NDArray[np.int64]:
    """The chosen rows by their numbers in all splits."""
    nothing = {split: np.zeros(count, dtype=np.bool_) for split, count in counts.items()}
    everything = np.concatenate(list({**nothing, **chosen}.values()))
    return np.flatnonzero(everything).astype(np.int64)


def _labels(source: Numbered, numbers: npt.NDArray[np.int64]) -> torch.Tensor:
    without = {split: np.full(count, -1) for split, count in source.counts.items()}
    everything = np.concatenate(list({**without, **source.labels}.values()))
    labels = everything[numbers].astype(np.int64)
    if (labels < 0).any():  # of a set that was not looked at
        where = row_of(source, int(numbers[labels.argmin()])).where
        raise ValueError(f"data: expected a label for every image or none; {where} differs")
    return torch.from_numpy(labels)
