"""MNIST and its kin in their published form, IDX files."""

from __future__ import annotations

import gzip
import struct
import zlib
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from lambent.data.source import Labels, Numbered

_SPLITS = {"train": "train", "test": "t10k"}


class Idx(Numbered):
    """A folder of ``train-images-idx3-ubyte``, ``t10k-labels-idx1-ubyte`` and so on, or their .gz.

    Args:
        path: The folder.

    Raises:
        ValueError: If a file is damaged, or labels and images differ in number.

    References:
        Y. LeCun, C. Cortes, C. Burges, "The MNIST database of handwritten digits" (the format).
    """

    def __init__(self, path: Path) -> None:
        found = {split: _file(path, f"{word}-images-idx3-ubyte") for split, word in _SPLITS.items()}
        self._images = {split: _read(file, 3) for split, file in found.items() if file is not None}
        labels: dict[str, Labels] = {}
        for split, images in self._images.items():
            file = _file(path, f"{_SPLITS[split]}-labels-idx1-ubyte")
            if file is not None:
                labels[split] = _read(file, 1).astype(np.int64)
                if len(labels[split]) != len(images):
                    raise ValueError(
                        f"data: expected {len(images)} labels, given {len(labels[split])} "
                        f"in {str(file)!r}"
                    )
        counts = {split: len(images) for split, images in self._images.items()}
        super().__init__(path.resolve().name, counts, labels)

    def picture(self, split: str, number: int) -> Image.Image:
        """The picture of a row, in the order of the file."""
        return Image.fromarray(self._images[split][number])


def is_idx(path: Path) -> bool:
    """Whether a folder holds MNIST's training or test images."""
    return path.is_dir() and any(
        _file(path, f"{word}-images-idx3-ubyte") is not None for word in _SPLITS.values()
    )


def _file(folder: Path, name: str) -> Path | None:
    """The file of a name, as it is, compressed, or with a dot as some mirrors have it."""
    names = (name, name.replace("-idx", ".idx"))
    candidates = [folder / f"{n}{suffix}" for n in names for suffix in ("", ".gz")]
    return next((c for c in candidates if c.is_file()), None)


def _read(file: Path, axes: int) -> npt.NDArray[np.uint8]:
    try:
        content = file.read_bytes()
        if file.suffix == ".gz":
            content = gzip.decompress(content)
        magic, *shape = struct.unpack_from(f">{1 + axes}I", content)
    except (OSError, EOFError, zlib.error, struct.error) as error:
        raise ValueError(
            f"data: expected a readable IDX file, given {str(file)!r}: {error}"
        ) from error
    expected = 4 + 4 * axes + int(np.prod(shape, dtype=object))
    if magic != 0x0800 + axes or len(content) != expected:
        raise ValueError(
            f"data: expected an IDX file of bytes with {axes} axes, {expected} bytes long, "
            f"given {len(content)} bytes in {str(file)!r}"
        )
    return np.frombuffer(content, np.uint8, offset=4 + 4 * axes).reshape(shape)
