"""What parquet files say of their rows before these are read: how many, and of which classes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Tables:
    """The facts of an image set stored as parquet files."""

    counts: dict[str, int]
    """The number of rows of each split."""

    columns: dict[str, list[str]]
    """The columns to read of each split: image, and label if all its files have that."""

    class_names: tuple[str, ...] | None
    """The names of the classes of all splits together, or None."""

    codes: dict[object, int] | None
    """The class of each label as it is stored, or None if they are stored as classes."""

    def code(self, label: Any) -> int | None:
        """Return the class of a stored label; None for a null, or -1, which means unlabelled.

        Args:
            label: What the column ``label`` holds.

        Returns:
            The class, from 0.
        """
        if self.codes is not None:
            return self.codes.get(label)
        return None if label is None or label < 0 else int(label)


def read_tables(splits: Mapping[str, tuple[Path, ...]]) -> Tables:
    """Read the facts of parquet files; their pictures are not touched.

    Labels may be class labels of Hugging Face `datasets`, whole numbers, or strings. Whole numbers
    and strings are numbered in their sorted order, the same for all splits.

    Args:
        splits: The files of each split.

    Returns:
        The facts.

    Raises:
        ValueError: If a file cannot be read or has no column ``image``, or the labels of the
            files are of another kind or disagree.
    """
    schemas = {file: _schema(file) for files in splits.values() for file in files}
    columns = {
        split: ["image", "label"] if all("label" in schemas[f][1] for f in files) else ["image"]
        for split, files in splits.items()
    }
    labelled = [f for split, files in splits.items() if "label" in columns[split] for f in files]
    class_names, codes = _classes(labelled)
    return Tables(
        counts={split: sum(schemas[f][0] for f in files) for split, files in splits.items()},
        columns=columns,
        class_names=class_names,
        codes=codes,
    )


def stored_labels(values: Iterable[Any], where: str) -> set[Any]:
    """The labels there are in a column that holds no class labels.

    Args:
        values: What it holds; None and -1 mean unlabelled.
        where: What to call it in an error.

    Returns:
        The labels.

    Raises:
        ValueError: If they are neither whole numbers nor strings.
    """
    found = set()
    for value in values:
        if value is not None and type(value) not in (int, str):
            raise ValueError(
                "data: expected labels that are class labels, whole numbers or strings, given "
                f"{type(value).__name__} in {where!r}"
            )
        found.add(value)
    return found - {None, -1}


def number_labels(values: Iterable[Any]) -> tuple[tuple[str, ...], dict[object, int]]:
    """Number labels in their sorted order.

    Args:
        values: All whole numbers or all strings.

    Returns:
        The names of the classes, and the number of each label.
    """
    order = sorted(values)
    return tuple(str(value) for value in order), {value: i for i, value in enumerate(order)}


def _schema(file: Path) -> tuple[int, list[str]]:
    """Return the number of rows and the names of the columns."""
    from pyarrow import ArrowException  # type: ignore[import-untyped,unused-ignore]
    from pyarrow.parquet import ParquetFile  # type: ignore[import-untyped,unused-ignore]

    try:
        with ParquetFile(file) as table:
            rows, names = int(table.metadata.num_rows), list(table.schema_arrow.names)
    except (ArrowException, OSError) as error:
        raise ValueError(
            f"data: expected a readable parquet file, given {str(file)!r}: {error}"
        ) from error
    if "image" not in names:
        raise ValueError(f"data: expected a column 'image', given {names} in {str(file)!r}")
    return rows, names


def _classes(files: list[Path]) -> tuple[tuple[str, ...] | None, dict[object, int] | None]:
    """Return the names of the classes, and the number of each stored label that is not one."""
    from datasets import ClassLabel, Features
    from pyarrow.parquet import (  # type: ignore[import-untyped,unused-ignore]
        read_schema,
        read_table,
    )

    kinds: set[object] = set()
    values: set[Any] = set()
    for file in files:
        feature = Features.from_arrow_schema(read_schema(file))["label"]
        if isinstance(feature, ClassLabel) and feature.names:
            kinds.add(tuple(feature.names))
        else:
            column = read_table(file, columns=["label"]).column(0)
            found = stored_labels(column.unique().to_pylist(), str(file))
            kinds |= {type(value) for value in found}
            values |= found
        if len(kinds) > 1:
            raise ValueError(
                "data: expected labels of the same kind and classes in every file, "
                f"given others in {str(file)!r}"
            )
    if values:
        return number_labels(values)
    names = next(iter(kinds), None)
    return (names if isinstance(names, tuple) else None), None
