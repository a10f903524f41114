"""The one door to image sets."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image

from lambent.data.config import DataConfig
from lambent.data.decode import decode, pixels
from lambent.data.find import find_source
from lambent.data.images import Images
from lambent.data.order import held_out_rows
from lambent.data.prepare import prepare
from lambent.data.source import Row
from lambent.errors import DataWarning

_DEFAULT = DataConfig()


def load_images(name: str, config: DataConfig = _DEFAULT) -> Images:
    """Load an image set into memory.

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
    source = find_source(name)
    chosen = _choose(source.counts, config, source.name)
    size = sum(int(keep.sum()) for keep in chosen.values())
    if size == 0:
        raise ValueError(f"data: expected images, given {name!r} with none in '{config.split}'")
    rows = (row for split, keep in chosen.items() for row in _kept(source.rows(split), keep))
    images, labels = _decode_all(rows, size, config)
    loaded = Images(
        torch.from_numpy(images),
        None if labels is None else torch.from_numpy(labels),
        grey_levels=source.grey_levels,
        class_names=None if labels is None else source.class_names,
        name=source.name,
    )
    return loaded if config.grey_levels is None else loaded.quantised(config.grey_levels)


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


def _kept(rows: Iterator[Row], keep: npt.NDArray[np.bool_]) -> Iterator[Row]:
    return (row for row, wanted in zip(rows, keep, strict=True) if wanted)


def _decode_all(
    rows: Iterator[Row], size: int, config: DataConfig
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64] | None]:
    """Decode row by row into one array, so that no second copy is ever held."""
    images = np.empty((0, 0, 0, 0), dtype=np.uint8)
    labels = np.full(size, -1, dtype=np.int64)
    kept = 0
    faults: list[str] = []
    for row in rows:
        try:
            image = _image_of(row, config)
            if len(images) and image.shape != images.shape[1:]:
                raise ValueError(_difference(images.shape[1:], image.shape, row.where))
        except ValueError as error:
            faults.append(str(error))
            continue
        if len(images) == 0:
            images = np.empty((size, *image.shape), dtype=np.uint8)
        images[kept] = image
        labels[kept] = -1 if row.label is None else row.label
        if (labels[kept] < 0) != (labels[0] < 0):
            raise ValueError(f"data: expected a label for every image or none; {row.where} differs")
        kept += 1
    if faults:
        _judge(faults, kept, config)
    return images[:kept], None if labels[0] < 0 else labels[:kept]


def _image_of(row: Row, config: DataConfig) -> npt.NDArray[np.uint8]:
    picture = row.picture
    if picture == b"":
        raise ValueError(f"data: expected a picture, given none in {row.where}")
    if not isinstance(picture, Image.Image):
        picture = decode(picture, row.where)
    try:
        return pixels(prepare(picture, config))
    except ValueError as error:
        raise ValueError(f"{error}: {row.where}") from error


def _judge(faults: list[str], kept: int, config: DataConfig) -> None:
    """Refuse a set for its faulty pictures, or say which are left out."""
    more = f"; {len(faults)} of {kept + len(faults)} pictures are at fault"
    if config.on_error == "refuse" or kept == 0:
        hint = ", and --data-on_error skip leaves them out" if kept and len(faults) > 0 else ""
        raise ValueError(f"{faults[0]}{more}{hint}")
    some = " | ".join(fault.removeprefix("data: ") for fault in faults[:3])
    warnings.warn(f"{more.removeprefix('; ')} and left out: {some}", DataWarning, stacklevel=3)


def _difference(expected: tuple[int, ...], given: tuple[int, ...], where: str) -> str:
    if expected[0] != given[0]:
        kinds = {1: "grey", 3: "colour"}
        return (
            f"data: expected {kinds[expected[0]]} pictures as the first is, "
            f"given a {kinds[given[0]]} one: {where}"
        )
    return (
        f"data: expected every image to be {expected[1]} x {expected[2]} (height x width) as the "
        f"first is, given {given[1]} x {given[2]}: {where}; --data-size resizes them to one size"
    )
