"""Image sets that Hugging Face `datasets` opens as tables: saved by it, or from its hub."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lambent.data.source import Labels, Numbered, content_of
from lambent.data.tables import number_labels, stored_labels
from lambent.errors import MissingExtraError

if TYPE_CHECKING:
    from datasets import Dataset


class ArrowSets(Numbered):
    """Tables with a column of pictures and perhaps one of class labels, memory-mapped.

    The first column that holds pictures counts, and the first of class labels, or ``label``.

    Args:
        name: What to call the set.
        tables: The table of each split.
        code: The class of a stored label, or None; if not given, labels that are no class labels
            are whole numbers or strings, numbered in their sorted order.
        class_names: The names of the classes, if they are not in the tables.

    Raises:
        ValueError: If there is no column of pictures, or the labels are of another kind.
    """

    def __init__(
        self,
        name: str,
        tables: Mapping[str, Dataset],
        code: Callable[[Any], int | None] | None = None,
        class_names: tuple[str, ...] | None = None,
    ) -> None:
        from datasets import ClassLabel, Image

        features = next(iter(tables.values())).features
        pictures = [key for key, feature in features.items() if isinstance(feature, Image)]
        if not pictures:
            raise ValueError(
                f"data: expected a column of pictures, given {', '.join(features)} in {name}"
            )
        kinds = [key for key, feature in features.items() if isinstance(feature, ClassLabel)]
        kinds += ["label"] if "label" in features else []
        self._column = pictures[0]
        labels: dict[str, Labels] = {}
        if kinds:
            columns = {k: list(t[kinds[0]]) for k, t in tables.items() if kinds[0] in t.features}
            names = getattr(features[kinds[0]], "names", None)
            if code is None and names is None:
                stored = stored_labels((v for column in columns.values() for v in column), name)
                if len({type(value) for value in stored}) > 1:
                    raise ValueError(f"data: expected labels of one kind, given others in {name}")
                names, codes = number_labels(stored)
                code = codes.get
            class_names = class_names or (None if names is None else tuple(names))
            for split, column in columns.items():
                found = column if code is None else map(code, column)
                numbers = [-1 if label is None else label for label in found]
                labels[split] = np.array(numbers, dtype=np.int64)
        raw = Image(decode=False)
        self._tables = {k: t.cast_column(self._column, raw) for k, t in tables.items()}
        counts = {split: len(table) for split, table in tables.items()}
        super().__init__(name, counts, labels, class_names)

    def picture(self, split: str, number: int) -> bytes | Path:
        """The bytes or the path of a row, in the order of the table."""
        return content_of(self._tables[split][number][self._column])


def is_arrow(path: Path) -> bool:
    """Whether a path is an Arrow file, or a folder that `datasets` saved."""
    marks = ("dataset_dict.json", "state.json")
    return path.suffix == ".arrow" or any((path / mark).is_file() for mark in marks)


def from_disk(path: Path) -> ArrowSets:
    """Open an Arrow file or a folder that ``save_to_disk`` wrote.

    Args:
        path: The file or the folder.

    Returns:
        The set.

    Raises:
        ValueError: If it cannot be read or holds no pictures.
        MissingExtraError: If `datasets` is not installed.
    """
    datasets = _datasets()
    try:
        if path.is_file():
            tables = {"train": datasets.Dataset.from_file(str(path))}
        else:
            loaded = datasets.load_from_disk(str(path))
            tables = dict(loaded) if isinstance(loaded, dict) else {"train": loaded}
    except Exception as error:  # of pyarrow, of json, of datasets
        raise ValueError(
            f"data: expected readable Arrow files, given {str(path)!r}: {error}"
        ) from error
    return ArrowSets(path.resolve().stem, tables)


def from_hub(name: str) -> ArrowSets:
    """Fetch a set from the Hugging Face hub, or open it where it was fetched before.

    Args:
        name: ``hf:OWNER/NAME`` or ``hf:OWNER/NAME:CONFIG``.

    Returns:
        The set. Nothing of it is executed: sets with code of their own are refused by `datasets`.

    Raises:
        ValueError: If the hub cannot be reached or has no such set.
        MissingExtraError: If `datasets` is not installed.
    """
    datasets = _datasets()
    _, path, *config = name.split(":")
    if not path or len(config) > 1:
        raise ValueError(f"data: expected hf:OWNER/NAME or hf:OWNER/NAME:CONFIG, given '{name}'")
    logger = logging.getLogger("huggingface_hub")
    level = logger.level
    logger.setLevel(logging.CRITICAL)  # it announces every retry
    try:
        tables = datasets.load_dataset(path, *config)
    except Exception as error:  # of the network, of the hub, of datasets
        raise ValueError(
            f"data: expected a set of images on the Hugging Face hub and a network to fetch it "
            f"by, given '{name}': {type(error).__name__}: {error}"
        ) from error
    finally:
        logger.setLevel(level)
    return ArrowSets(path, tables)


def _datasets() -> Any:
    try:
        import datasets
    except ImportError as error:
        raise MissingExtraError("datasets", "data") from error
    return datasets
