"""The one door to image sets."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from lambent.data.config import DataConfig
from lambent.data.find import find_source
from lambent.data.gather import Chosen, into_memory, on_disk
from lambent.data.order import held_out_rows
from lambent.data.read_table import is_table, load_table
from lambent.data.set import EventSet, ImageSet
from lambent.data.source import Source

_DEFAULT = DataConfig()


def load_images(name: str, config: DataConfig = _DEFAULT) -> ImageSet:
    """Load an image set: into memory, or where it is large as a set that stays on disk.

    Args:
        name: "digits" (scikit-learn's, 17 grey levels), or the path of a folder or file; see
            :func:`~lambent.data.find.find_source` for all forms, and
            :func:`~lambent.data.layout.find_layout` for how files say their split and class.
        config: Which rows, and what is done to the images.

    Returns:
        The images of the split, in stored order; grey or colour as the first of them is. The
        labels are None where the set has none.

    Raises:
        ValueError: If there is no such set or split, a picture cannot be read, or the images
            differ in size or mix grey with colour, unless those are to be skipped.
        MissingExtraError: If a package that the set needs is not installed.

    Example:
        >>> load_images("digits", DataConfig(split="validation", validation=0.2))
        Images('digits', n=359, shape=(1, 8, 8), grey_levels=17, classes=10)
    """
    source, chosen = _found(name, config)
    loaded: ImageSet | None = None
    if config.in_memory is not False:
        loaded = into_memory(source, chosen, config)
    if loaded is None:
        loaded = on_disk(source.numbered(), chosen, config)
    return loaded if config.grey_levels is None else loaded.quantised(config.grey_levels)


def load_events(name: str, config: DataConfig = _DEFAULT) -> EventSet:
    """Load whatever a name stands for: a table of numbers, or images.

    Args:
        name: A table, see :func:`~lambent.data.read_table.is_table`, or an image set.
        config: Which rows, and what is done to images.

    Returns:
        The set.

    Raises:
        ValueError: As :func:`load_images` and :func:`~lambent.data.read_table.load_table`.
    """
    if is_table(name):
        return load_table(name, config)
    for setting, given in config.of_table.items():
        raise ValueError(f"{setting}: expected none for images, given '{given}'")
    return load_images(name, config)


def load_uncut(name: str, config: DataConfig = _DEFAULT) -> ImageSet:
    """Load an image set as :func:`load_images` does, before its window is cut out.

    For windows that are cut anywhere. Where pictures keep their aspect (``shorter_side``) their
    sizes differ, and the set stays on disk.

    Args:
        name: The set.
        config: Which rows, and what is done to the images.

    Returns:
        The images, each at least as large as the window.

    Raises:
        ValueError: As :func:`load_images`.
    """
    whole = dataclasses.replace(config, window=None)
    if config.shorter_side is None:
        return load_images(name, whole)
    source, chosen = _found(name, config)
    loaded = on_disk(source.numbered(), chosen, whole, alike=False)
    return loaded if config.grey_levels is None else loaded.quantised(config.grey_levels)


def _found(name: str, config: DataConfig) -> tuple[Source, Chosen]:
    """The source of a name, and which of its rows are asked for: at least one."""
    source = find_source(name)
    chosen = _choose(source.counts, config, source.name)
    if not any(keep.any() for keep in chosen.values()):
        raise ValueError(f"data: expected images, given {name!r} with none in '{config.split}'")
    return source, chosen


def _choose(
    counts: Mapping[str, int], config: DataConfig, name: str
) -> dict[str, npt.NDArray[np.bool_]]:
    """Return which rows of which of the set's own splits make up ``config.split``."""
    everything = {split: np.ones(count, dtype=np.bool_) for split, count in counts.items()}
    if config.split == "all":
        return everything
    splits = {split: {split: keep} for split, keep in everything.items()}
    train = counts.get("train", 0)
    if config.validation_split is not None:
        others = [split for split in counts if split != "train"]
        if config.validation_split not in others:
            raise ValueError(
                f"validation_split: expected one of {', '.join(others) or 'none there are'} of "
                f"{name}, given {config.validation_split!r}"
            )
        splits["validation"] = splits[config.validation_split]
    elif "validation" not in counts and train > 1 and config.validation > 0:
        held_out = held_out_rows(train, config.validation, config.seed).numpy()
        splits |= {"train": {"train": ~held_out}, "validation": {"train": held_out}}
    if config.split not in splits:
        there_are = ", ".join([*splits, "all"])
        raise ValueError(f"split: expected one of {there_are} of {name}, given {config.split!r}")
    return splits[config.split]
