"""Which files of a folder belong to which split of an image set."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

PICTURE_SUFFIXES = frozenset(
    {".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff"}
    | {".ppm", ".pgm", ".pbm", ".pnm"}
)

# The words Hugging Face `datasets` knows splits by.
_WORDS = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("validation", "valid", "val", "dev"), "validation"),
    **dict.fromkeys(("test", "testing", "eval", "evaluation"), "test"),
}
_WORD = re.compile(rf"(?:^|[-._ 0-9])({'|'.join(_WORDS)})(?=[-._ 0-9]|$)", re.IGNORECASE)
_SHARD = re.compile(r"-\d+-of-\d+.*$")


@dataclass(frozen=True, kw_only=True)
class Layout:
    """The files of an image set, by split."""

    kind: Literal["pictures", "parquet"]
    """Whether a file is one picture or a table of them."""

    splits: dict[str, tuple[Path, ...]]
    """The files of each split, sorted; train, validation and test come first."""

    labelled: bool = False
    """Whether the folder a picture lies in is its class; False for tables, which know theirs."""


def find_layout(root: Path) -> Layout:
    """Find the files of an image set and the split each belongs to.

    Parquet files go before pictures. A parquet file belongs to the split named by a folder it
    lies in or by its own name (``train.parquet``, ``test-00000-of-00002.parquet``); where no name
    holds a split's word all belong to train, otherwise a name without one is a split of its own.

    Pictures: sub-folders of the top that are all named as splits, or of which two are named as
    different splits, are splits; otherwise everything belongs to train. Below that, the folder of
    a picture is its class if all pictures lie equally deep and there are two such folders or more.

    Hidden files, and folders such as ``__MACOSX``, do not count.

    Args:
        root: A folder, or one parquet file.

    Returns:
        The files by split.

    Raises:
        ValueError: If there is neither a picture nor a parquet file.
    """
    files = [root] if root.is_file() else list(_walk(root))
    tables = [f for f in files if f.suffix.lower() == ".parquet" and f.name != "metadata.parquet"]
    if tables:
        return Layout(kind="parquet", splits=_by_split(_name_tables(root, tables)))
    found = [f for f in files if f.suffix.lower() in PICTURE_SUFFIXES] if root.is_dir() else []
    if not found:
        raise ValueError(
            "data: expected 'digits', a folder of pictures or of parquet files, or one parquet "
            f"file; given {str(root)!r}, which holds neither pictures nor parquet files"
        )
    return _picture_layout(root, found)


def _walk(folder: Path, above: tuple[Path, ...] = ()) -> Iterator[Path]:
    """Yield the visible files below a folder in order, through links but never in a circle."""
    real = folder.resolve()
    if real in above:
        return
    for entry in sorted(folder.iterdir()):
        if entry.name.startswith((".", "__")):
            continue
        if entry.is_dir():
            yield from _walk(entry, (*above, real))
        elif entry.is_file():
            yield entry


def _by_split(named: Iterable[tuple[str, Path]]) -> dict[str, tuple[Path, ...]]:
    splits: dict[str, list[Path]] = {"train": [], "validation": [], "test": []}
    for split, file in named:
        splits.setdefault(split, []).append(file)
    return {split: tuple(files) for split, files in splits.items() if files}


def _name_tables(root: Path, files: list[Path]) -> list[tuple[str, Path]]:
    names: list[str | None] = []
    for file in files:
        parts = (*file.relative_to(root).parts[:-1], file.stem)
        words = (_WORD.search(part) for part in parts)
        names.append(next((_WORDS[word[1].lower()] for word in words if word), None))
    if not any(names):
        return [("train", file) for file in files]
    return [(name or _SHARD.sub("", f.stem), f) for name, f in zip(names, files, strict=True)]


def _split_of(folder: str) -> str | None:
    """The split a folder of pictures names: ``train``, ``valid_32x32``, ``church_outdoor_val``."""
    word = _WORD.search(folder)
    return _WORDS[word[1].lower()] if word else None


def _picture_layout(root: Path, files: list[Path]) -> Layout:
    heads = {file.relative_to(root).parts[0] for file in files}
    while len(heads) == 1 and _split_of(head := next(iter(heads))) is None:
        if any(file.parent in (root, root / head) for file in files):
            break
        root = root / head  # a lone folder around the set, as archives have
        heads = {file.relative_to(root).parts[0] for file in files}
    words = [_split_of(head) for head in heads]
    split = all(words) or len(set(words) - {None}) >= 2
    if any(file.parent == root for file in files) or not split:
        named = [("train", file, len(file.relative_to(root).parts)) for file in files]
    else:
        parts = [file.relative_to(root).parts for file in files]
        named = [
            (_split_of(part[0]) or part[0], file, len(part) - 1)
            for part, file in zip(parts, files, strict=True)
        ]
    depths = {depth for _, _, depth in named}
    folders = {file.parent.name for file in files}
    return Layout(
        kind="pictures",
        splits=_by_split((name, file) for name, file, _ in named),
        labelled=len(depths) == 1 and depths != {1} and len(folders) > 1,
    )
