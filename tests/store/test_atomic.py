from __future__ import annotations

import os
from pathlib import Path

import pytest

from lambent.files import replacing


def test_writes_whole(tmp_path: Path) -> None:
    path = tmp_path / "new/folder/file.txt"
    with replacing(path) as temporary:
        assert temporary.parent == path.parent
        assert temporary.suffix == ".txt"
        temporary.write_text("all of it")
        assert not path.exists()
    assert path.read_text() == "all of it"
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_a_failure_leaves_the_old_file_and_nothing_else(
    error: type[BaseException], tmp_path: Path
) -> None:
    path = tmp_path / "file.txt"
    path.write_text("old")

    def fail() -> None:
        with replacing(path) as temporary:
            temporary.write_text("half of the n")
            raise error

    with pytest.raises(error):
        fail()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_failure_to_take_the_name_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "folder/inside").mkdir(parents=True)
    with pytest.raises(OSError, match="folder"), replacing(tmp_path / "folder") as temporary:
        temporary.write_text("new")
    assert [p.name for p in tmp_path.iterdir()] == ["folder"]


@pytest.mark.skipif(os.name != "posix", reason="file modes")
def test_has_the_mode_of_any_new_file(tmp_path: Path) -> None:
    """Not the 0600 of a temporary file: others may read what this user lets them read."""
    (tmp_path / "plain").touch()
    with replacing(tmp_path / "file") as temporary:
        temporary.write_text("x")
    assert (tmp_path / "file").stat().st_mode == (tmp_path / "plain").stat().st_mode
