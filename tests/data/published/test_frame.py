"""Pickled frames are read, and nothing in them runs."""

from __future__ import annotations

import os
import pickle
import pickletools
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lambent.data.published.frame import read_frame

from ...old_pickle import dump, old_frame, write_frame
from ...published_files import draws


def test_a_frame_of_python_2(tmp_path: Path) -> None:
    path, rows = tmp_path / "f.pickle", draws(0, 300, 4)
    write_frame(path, ["Time", "Meth", "Eth", "A"], rows)
    opcodes = {code.name for code, *_ in pickletools.genops(path.read_bytes())}
    assert {"BINSTRING", "SHORT_BINSTRING", "NEWOBJ"} <= opcodes  # what Python 3 does not write
    names, found = read_frame(path)
    assert names == ["Time", "Meth", "Eth", "A"]
    np.testing.assert_array_equal(found, rows)


def test_several_blocks_and_orders(tmp_path: Path) -> None:
    """Blocks of other dtypes, columns by number, Fortran order, big-endian numbers."""
    rows = np.round(draws(0, 20, 5))
    by_number = np.asfortranarray(rows[:, [4, 0]].T)
    blocks: list[tuple[np.ndarray, Any]] = [
        (by_number, np.array([4, 0])),
        (rows[:, 1:2].T.astype(np.int64), slice(1, 2, 1)),
        (rows[:, [2, 3]].T.astype(">f4"), slice(2, 4, 1)),
    ]
    path = tmp_path / "f.pickle"
    path.write_bytes(dump(old_frame(list("abcde"), blocks, 20)))
    names, found = read_frame(path)
    assert names == list("abcde")
    np.testing.assert_array_equal(found, rows)


class Mischief:
    """Runs what it was made of when it is unpickled in the usual way."""

    def __init__(self, function: Any, *args: Any) -> None:
        self.call = function, args

    def __reduce__(self) -> Any:
        return self.call


def test_nothing_runs(tmp_path: Path) -> None:
    made = tmp_path / "made"
    path = tmp_path / "f.pickle"
    path.write_bytes(pickle.dumps(Mischief(os.mkdir, str(made)), 2))
    with pytest.raises(ValueError, match=r"^root: expected a pickled frame .* it names 'posix"):
        read_frame(path)
    path.write_bytes(pickle.dumps(Mischief(eval, f"open({str(made)!r}, 'w')"), 2))
    with pytest.raises(ValueError, match=r"it names '__builtin__.eval'"):
        read_frame(path)
    assert not made.exists()
    pickle.loads(path.read_bytes()).close()
    assert made.exists()  # so it would have


def test_a_known_name_reaches_no_known_thing(tmp_path: Path) -> None:
    """Neither a dotted name nor NumPy's own functions come out."""
    path = tmp_path / "f.pickle"
    for text in (b"cnumpy\nndarray.__init__\n.", b"cpandas.core.frame\nDataFrame.eval\n."):
        path.write_bytes(text)
        with pytest.raises(ValueError, match=r"it names "):
            read_frame(path)
    path.write_bytes(b"cnumpy\nndarray\n(lR.")  # numpy.ndarray() would raise TypeError
    with pytest.raises(ValueError, match=r"^root: expected a pickled frame"):
        read_frame(path)


def test_state_does_not_outlive_a_file(tmp_path: Path) -> None:
    """A file that sets attributes of the stand-in classes changes nothing for the next."""
    path, good = tmp_path / "bad.pickle", tmp_path / "good.pickle"
    write_frame(good, ["a", "b"], draws(0, 30, 2))
    spoil = b"cnumpy\ndtype\n(N}(S'args'\nI1\nutb."
    path.write_bytes(spoil)
    with pytest.raises(ValueError, match=r"^root: "):
        read_frame(path)
    np.testing.assert_array_equal(read_frame(good)[1], draws(0, 30, 2))


@pytest.mark.parametrize(
    "content",
    [b"", b"text", pickle.dumps([1, 2]), pickle.dumps({"a": 1.0}), b"\x80\x02r\xff\xff\xff\xff."],
)
def test_other_files(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "f.pickle"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"^root: expected a pickled frame .*f\.pickle"):
        read_frame(path)


def test_texts_are_no_numbers(tmp_path: Path) -> None:
    path = tmp_path / "f.pickle"
    words = np.array([["x"] * 20], dtype=object)
    path.write_bytes(dump(old_frame(["a"], [(words, slice(0, 1, 1))], 20)))
    with pytest.raises(ValueError, match=r"^root: expected a pickled frame of numbers"):
        read_frame(path)
    path.write_bytes(dump(old_frame(["a"], [(np.ones((1, 20), "c16"), slice(0, 1, 1))], 20)))
    with pytest.raises(ValueError, match=r"^root: expected a pickled frame of numbers"):
        read_frame(path)
