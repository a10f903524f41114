"""A pickled pandas frame of numbers, read without running what a pickle can run."""

from __future__ import annotations

import pickle
import re
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from lambent.data.published.splits import Rows

KNOWN = re.compile(
    r"pandas\.core\.frame\.DataFrame"
    r"|pandas\.core\.internals(\.managers)?\.BlockManager"
    r"|pandas\._libs\.internals\._unpickle_block"
    r"|pandas\.(core\.index|indexes\.\w+|core\.indexes\.\w+)\.(_new_Index|\w*Index)"
    r"|numpy\.(core|_core)\.multiarray\._reconstruct"
    r"|numpy\.(ndarray|dtype)"
    r"|_codecs\.encode"
    r"|(builtins|__builtin__)\.slice"
)
"""The names that pickled frames of numbers hold, from pandas 0.14 on."""

NUMBERS = re.compile(r"[fi][248]")
"""The dtypes that are read."""


class Called:
    """What stands in for any object of a pickle: what it was called with, and its state."""

    args: tuple[Any, ...]
    state: Any = None

    def __new__(cls, *args: Any) -> Called:
        """Keep the arguments; pickles make objects both by a call and without ``__init__``."""
        self = super().__new__(cls)
        self.args = args
        return self

    def __setstate__(self, state: Any) -> None:
        """Keep the state; nothing is done with it."""
        self.state = state


class _Reader(pickle.Unpickler):
    """Makes a stand-in of every name that frames hold, and refuses all others.

    No name is looked up: neither pandas nor NumPy sees what the file says. The stand-ins are made
    anew for each file, so that a file cannot change those of the next.
    """

    def find_class(self, module: str, name: str) -> Any:
        """Return a stand-in."""
        full = f"{module}.{name}"
        if KNOWN.fullmatch(full) is None:
            raise pickle.UnpicklingError(f"it names {full[:80]!r}, which no frame of numbers has")
        return type(name, (Called,), {})


def read_frame(path: Path) -> tuple[list[str], Rows]:
    """Read a pickled pandas frame of numbers, as the pandas of Python 2 and later ones wrote it.

    A pickle is a program. Of this one only the opcodes that build tuples, lists, mappings, texts
    and numbers run; every name in it stands for an empty class, and what these were given is read
    as the arrays of a frame afterwards.

    Args:
        path: The file.

    Returns:
        The names of the columns, and the rows, float64 ``(n, d)``.

    Raises:
        ValueError: If the file is anything else.
    """
    try:
        with path.open("rb") as file:
            found = _Reader(file, encoding="latin1").load()
    except Exception as error:  # whatever a broken pickle runs into
        raise ValueError(f"root: expected a pickled frame in {str(path)!r}: {error}") from error
    try:
        return _frame(found)
    except Exception as error:  # a pickle of other things, or of other shapes
        raise ValueError(
            f"root: expected a pickled frame of numbers, given another pickle in {str(path)!r}"
        ) from error


def _frame(frame: Called) -> tuple[list[str], Rows]:
    state = frame.state
    manager = state["_data"] if "_data" in state else state["_mgr"]
    if manager.state is None:  # pandas 1.3 and later
        blocks, axes = manager.args
        parts = [block.args[:2] for block in blocks]
    else:
        inner = manager.state[3]["0.14.1"]
        axes, parts = inner["axes"], [(b["values"], b["mgr_locs"]) for b in inner["blocks"]]
    names = [str(name) for name in _array(axes[0].args[1]["data"])]
    columns: list[npt.NDArray[Any] | None] = [None] * len(names)
    for values, places in parts:
        _place(_array(values), places, columns)
    return names, np.stack(columns, axis=1).astype(np.float64, copy=False)  # type: ignore[arg-type]


def _place(values: npt.NDArray[Any], places: Called, columns: list[Any]) -> None:
    """Put the columns of one block, (k, n), where they belong."""
    of_slice = type(places).__name__ == "slice"
    index = range(len(columns))[slice(*places.args)] if of_slice else _array(places)
    for i, column in zip(index, values, strict=True):
        columns[int(i)] = column


def _array(array: Called) -> npt.NDArray[Any]:
    """An array of numbers, or of the objects that a list holds."""
    _, shape, dtype, fortran, content = array.state
    kind = dtype.args[0]
    if kind.startswith("O"):
        return np.array(content, dtype=object)
    if NUMBERS.fullmatch(kind) is None:
        raise ValueError(kind)
    raw = content.args[0] if isinstance(content, Called) else content
    raw = raw.encode("latin1") if isinstance(raw, str) else raw
    flat = np.frombuffer(raw, np.dtype(kind).newbyteorder(dtype.state[1]))
    return flat.reshape(shape, order="F" if fortran else "C")
