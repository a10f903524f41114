"""Which kind of image set a name stands for."""

from __future__ import annotations

from pathlib import Path

from lambent.data.arrays import SUFFIXES, Arrays
from lambent.data.arrow import from_disk, from_hub, is_arrow
from lambent.data.cifar import CifarBinary, is_cifar
from lambent.data.digits import Digits
from lambent.data.folder import Folder
from lambent.data.idx import Idx, is_idx
from lambent.data.layout import find_layout
from lambent.data.parquet import Parquet
from lambent.data.source import Source

HUB = "hf:"
"""What the name of a set on the Hugging Face hub begins with here."""


def find_source(name: str) -> Source:
    """Find the image set of a name.

    Args:
        name: "digits"; "hf:OWNER/NAME" or "hf:OWNER/NAME:CONFIG" for a set on the Hugging Face
            hub; or a path: of a folder of pictures or of parquet files, of one parquet, Arrow,
            ``.npz`` or ``.npy`` file, of a folder that `datasets` saved, of MNIST's IDX files or
            of CIFAR-10's binary batches. A folder that is itself called digits is ``./digits``.

    Returns:
        The set, none of whose pictures is read yet.

    Raises:
        ValueError: If there is no such set.
        MissingExtraError: If a package that the set needs is not installed.
    """
    if name == "digits":
        return Digits()
    if name.startswith(HUB):
        return from_hub(name)
    path = Path(name).expanduser()
    if not name or not path.exists():
        raise ValueError(
            "data: expected 'digits', a folder of pictures or of parquet files, a parquet, Arrow, "
            f"npz or npy file, or hf:OWNER/NAME; given {name!r}, which is no such path"
        )
    if path.suffix.lower() in SUFFIXES and path.is_file():
        return Arrays(path)
    if is_arrow(path):
        return from_disk(path)
    if is_cifar(path):
        return CifarBinary(path)
    if is_idx(path):
        return Idx(path)
    layout, called = find_layout(path), path.resolve().name
    if layout.kind == "parquet":
        return Parquet(called, layout.splits)
    return Folder(called, layout.splits, labelled=layout.labelled)
