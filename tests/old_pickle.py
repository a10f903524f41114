"""A pickled pandas frame as Python 2 wrote it: byte strings, and names and state of pandas 0.20."""

from __future__ import annotations

import copyreg
import io
import pickle
import struct
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

RENAMED = {
    "builtins": "__builtin__",
    "copyreg": "copy_reg",
    "numpy._core.multiarray": "numpy.core.multiarray",
}


class Named:
    """An object that pickles as one of another module would: its class's name, then its state."""

    path = ""
    state: Any = None

    def __init__(self, state: Any) -> None:
        self.state = state

    def __reduce_ex__(self, protocol: Any) -> tuple[Any, ...]:
        return copyreg.__newobj__, (type(self),), self.state  # type: ignore[attr-defined]


class DataFrame(Named):
    path = "pandas.core.frame DataFrame"


class BlockManager(Named):
    path = "pandas.core.internals BlockManager"


class Index(Named):
    path = "pandas.core.indexes.base Index"

    def __reduce_ex__(self, protocol: Any) -> tuple[Any, ...]:
        return new_index, (type(self), {"data": self.state, "name": None})


class Int64Index(Index):
    path = "pandas.core.indexes.numeric Int64Index"


def new_index() -> None:
    """What a file names; nobody calls it, neither here nor where the file is read."""


new_index.path = "pandas.core.indexes.base _new_Index"  # type: ignore[attr-defined]


class Old(pickle._Pickler):  # type: ignore[name-defined, misc]
    """Protocol 2 with Python 2's strings and names."""

    dispatch: ClassVar = dict(pickle._Pickler.dispatch)  # type: ignore[attr-defined]

    def save_text(self, text: str | bytes) -> None:
        raw = text.encode("latin1") if isinstance(text, str) else text
        short = len(raw) < 256
        head = b"U" + bytes([len(raw)]) if short else b"T" + struct.pack("<i", len(raw))
        self.write(head + raw)
        self.memoize(text)

    dispatch[str] = dispatch[bytes] = save_text

    def save_global(self, obj: Any, name: str | None = None) -> None:
        module = RENAMED.get(obj.__module__, obj.__module__)
        path = getattr(obj, "path", None) or f"{module} {name or obj.__name__}"
        self.write(b"c" + path.replace(" ", "\n").encode() + b"\n")
        self.memoize(obj)

    dispatch[type] = save_global
    dispatch[type(new_index)] = save_global


def old_frame(names: list[str], blocks: list[tuple[np.ndarray, Any]], count: int) -> DataFrame:
    """A frame of blocks (values (k, n), slice or numbers of the columns they are)."""
    columns = Index(np.array(names, dtype=object))
    axes = [columns, Int64Index(np.arange(count))]
    held = [{"values": values, "mgr_locs": places} for values, places in blocks]
    values = [values for values, _ in blocks]
    state = (axes, values, [columns] * len(blocks), {"0.14.1": {"axes": axes, "blocks": held}})
    return DataFrame({"_data": BlockManager(state), "_typ": "dataframe", "_metadata": []})


def dump(found: Any) -> bytes:
    out = io.BytesIO()
    Old(out, 2).dump(found)
    return out.getvalue()


def write_frame(path: Path, names: list[str], rows: np.ndarray) -> None:
    """A frame of one block, as a table of floats has."""
    path.parent.mkdir(parents=True, exist_ok=True)
    blocks = [(np.ascontiguousarray(rows.T), slice(0, len(names), 1))]
    path.write_bytes(dump(old_frame(names, blocks, len(rows))))
