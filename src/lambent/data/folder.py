"""Image sets stored as a folder of pictures."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from lambent.data.source import Labels, Numbered


class Folder(Numbered):
    """A picture a file, whose folder is its class if the layout says so.

    Names are kept as bytes in one array a split: a million paths as objects would fill memory, and
    every process that loads data with it.

    Args:
        name: What to call the set.
        splits: The files of each split.
        labelled: Whether the folder a picture lies in is its class.
    """

    def __init__(
        self, name: str, splits: Mapping[str, tuple[Path, ...]], *, labelled: bool
    ) -> None:
        self._files = {s: np.array([os.fsencode(f) for f in files]) for s, files in splits.items()}
        names = sorted({file.parent.name for files in splits.values() for file in files})
        codes = {folder: code for code, folder in enumerate(names)}
        labels: dict[str, Labels] = {}
        if labelled:
            for split, files in splits.items():
                labels[split] = np.array([codes[f.parent.name] for f in files], dtype=np.int64)
        counts = {split: len(files) for split, files in splits.items()}
        super().__init__(name, counts, labels, tuple(names) if labelled else None)

    def picture(self, split: str, number: int) -> Path:
        """The path of a row, in the order of the files."""
        return Path(os.fsdecode(self._files[split][number]))

    def where(self, split: str, number: int) -> str:
        """The file."""
        return str(self.picture(split, number))
