from __future__ import annotations

from pathlib import Path

import pytest

from lambent.data.layout import Layout, find_layout


def lay_out(root: Path, *names: str) -> Layout:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    return find_layout(root)


def names(layout: Layout, root: Path) -> dict[str, list[str]]:
    return {
        split: [file.relative_to(root).as_posix() for file in files]
        for split, files in layout.splits.items()
    }


def test_classes(tmp_path: Path) -> None:
    layout = lay_out(tmp_path, "dog/2.png", "dog/1.JPG", "cat/test_1.png", "notes.txt")
    assert layout.kind == "pictures"
    assert layout.labelled
    assert names(layout, tmp_path) == {"train": ["cat/test_1.png", "dog/1.JPG", "dog/2.png"]}


def test_splits_of_classes(tmp_path: Path) -> None:
    layout = lay_out(tmp_path, "test/a/1.png", "train/a/1.png", "train/b/1.png", "val/b/1.png")
    assert layout.labelled
    assert list(layout.splits) == ["train", "validation", "test"]
    assert names(layout, tmp_path)["validation"] == ["val/b/1.png"]


def test_splits_without_classes(tmp_path: Path) -> None:
    layout = lay_out(tmp_path, "train/1.png", "test/1.png")
    assert not layout.labelled
    assert list(layout.splits) == ["train", "test"]


def test_split_beside_train_and_test(tmp_path: Path) -> None:
    layout = lay_out(tmp_path, "train/a/1.png", "test/b/1.png", "extra/b/1.png")
    assert list(layout.splits) == ["train", "test", "extra"]


def test_a_class_may_be_called_train(tmp_path: Path) -> None:
    layout = lay_out(tmp_path, "bus/1.png", "train/1.png")
    assert layout.labelled
    assert names(layout, tmp_path) == {"train": ["bus/1.png", "train/1.png"]}


@pytest.mark.parametrize(
    "files",
    [("1.png", "2.png"), ("only/1.png", "only/2.png"), ("a/1.png", "b/deeper/1.png", "b/2.png")],
    ids=["flat", "one folder", "unequal depth"],
)
def test_no_classes(tmp_path: Path, files: tuple[str, ...]) -> None:
    layout = lay_out(tmp_path, *files)
    assert not layout.labelled
    assert names(layout, tmp_path) == {"train": sorted(files)}


def test_lone_outer_folder_is_looked_through(tmp_path: Path) -> None:
    layout = lay_out(tmp_path, "images/train/a/1.png", "images/test/b/1.png")
    assert layout.labelled
    assert list(layout.splits) == ["train", "test"]


def test_hidden_files_do_not_count(tmp_path: Path) -> None:
    layout = lay_out(tmp_path, "a/1.png", "a/._1.png", ".thumbs/1.png", "__MACOSX/a/1.png")
    assert names(layout, tmp_path) == {"train": ["a/1.png"]}


def test_links_are_followed_but_not_in_circles(tmp_path: Path) -> None:
    lay_out(tmp_path / "store", "cat/1.png", "dog/1.png")
    root = tmp_path / "set"
    root.mkdir()
    for name in ("cat", "dog"):
        (root / name).symlink_to(tmp_path / "store" / name)
    (root / "cat" / "round").symlink_to(root)
    assert names(find_layout(root), root) == {"train": ["cat/1.png", "dog/1.png"]}


@pytest.mark.parametrize(
    ("files", "splits"),
    [
        (("train.parquet", "test.parquet"), ["train", "test"]),
        (("data/train-00000-of-00002.parquet", "data/train-00001-of-00002.parquet"), ["train"]),
        (("train-0-of-1.parquet", "extra-0-of-1-ab12.parquet"), ["train", "extra"]),
        (("default/train/0000.parquet", "default/test/0000.parquet"), ["train", "test"]),
        (("mnist_dev.parquet", "mnist_train.parquet"), ["train", "validation"]),
        (("part-0.parquet", "part-1.parquet"), ["train"]),
        (("trained.parquet", "contest.parquet"), ["train"]),
    ],
)
def test_tables(tmp_path: Path, files: tuple[str, ...], splits: list[str]) -> None:
    layout = lay_out(tmp_path, *files, "preview.png", "metadata.parquet")
    assert layout.kind == "parquet"
    assert list(layout.splits) == splits
    assert sorted(f for found in names(layout, tmp_path).values() for f in found) == sorted(files)


def test_one_table(tmp_path: Path) -> None:
    lay_out(tmp_path, "test.parquet", "train.parquet")
    assert find_layout(tmp_path / "test.parquet").splits == {"test": (tmp_path / "test.parquet",)}


@pytest.mark.parametrize("name", ["notes.txt", "__pycache__/1.png"])
def test_nothing_there(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match=r"^data: expected .*neither pictures nor parquet"):
        lay_out(tmp_path, name)


def test_one_picture_is_no_set(tmp_path: Path) -> None:
    lay_out(tmp_path, "1.png")
    with pytest.raises(ValueError, match=r"^data: expected"):
        find_layout(tmp_path / "1.png")
