from __future__ import annotations

import sys
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from PIL import Image
from sklearn.datasets import load_digits

from lambent.data import DataConfig, Images, load_images
from lambent.data.parquet import Parquet
from lambent.errors import MissingExtraError

Noise = Callable[..., npt.NDArray[np.uint8]]
Write = Callable[..., Path]


def png(pixels: npt.NDArray[np.uint8]) -> bytes:
    file = BytesIO()
    Image.fromarray(pixels).save(file, format="PNG")
    return file.getvalue()


def tagged(count: int, first: int = 0) -> list[bytes]:
    """Grey 2 x 2 pictures; the pixels of each hold its number."""
    return [png(np.full((2, 2), first + i, dtype=np.uint8)) for i in range(count)]


def tags(images: Images) -> list[int]:
    return [int(tag) for tag in images.images[:, 0, 0, 0]]


def load(name: Path | str, **settings: Any) -> Images:
    return load_images(str(name), DataConfig(**settings))


# ---------------------------------------------------------------- digits


def test_digits_keep_every_level() -> None:
    images = load("digits", split="all")
    digits = load_digits()
    assert images.facts() == {"shape": (1, 8, 8), "grey_levels": 17, "classes": 10}
    levels = images.images.long() * 17 // 256
    assert torch.equal(levels[:, 0], torch.from_numpy(digits.images).long())
    assert set(images.images.unique().tolist()) == {-(-256 * v // 17) for v in range(17)}
    assert images.labels is not None
    assert images.labels.tolist() == digits.target.tolist()
    assert len(load("digits")) == 1797 - 180


# ---------------------------------------------------------------- splits


@pytest.fixture
def stored(tmp_path: Path, write_table: Write) -> Path:
    """Ten train rows in two files and three test rows, numbered through."""
    folder = tmp_path / "set"
    names = ["zero", "one", "two"]
    write_table(folder / "train-00000-of-00002.parquet", tagged(6), [0, 1, 2, 0, 1, 2], names)
    write_table(folder / "train-00001-of-00002.parquet", tagged(4, 6), [0, 1, 2, 0], names)
    write_table(folder / "test.parquet", tagged(3, 10), [1, 1, 0], names)
    return folder


def test_train_and_validation_share_the_rows_out(stored: Path) -> None:
    for seed in range(3):
        train = load(stored, validation=0.3, seed=seed)
        held_out = load(stored, split="validation", validation=0.3, seed=seed)
        assert (len(train), len(held_out)) == (7, 3)
        assert sorted(tags(train) + tags(held_out)) == list(range(10))
        assert tags(train) == sorted(tags(train))  # in stored order
        for images in (train, held_out):  # each row keeps its label
            assert images.labels is not None
            assert images.labels.tolist() == [tag % 3 for tag in tags(images)]


def test_the_held_out_rows_follow_the_seed_alone(stored: Path) -> None:
    chosen = [tags(load(stored, split="validation", validation=0.3, seed=s)) for s in range(5)]
    assert len({tuple(c) for c in chosen}) > 1
    torch.manual_seed(99)
    assert tags(load(stored, split="validation", validation=0.3, seed=2)) == chosen[2]
    assert chosen[0] == [2, 4, 9]  # the same for ever


def test_own_splits_and_all(stored: Path) -> None:
    test = load(stored, split="test")
    assert tags(test) == [10, 11, 12]
    assert test.labels is not None
    assert test.labels.tolist() == [1, 1, 0]
    assert test.classes == 3  # though the last has no row here
    assert test.class_names == ("zero", "one", "two")
    assert test.name == "set"
    assert tags(load(stored, split="all")) == list(range(13))
    assert tags(load(stored, validation=0.0)) == list(range(10))


def test_own_validation_split_is_kept(stored: Path, write_table: Write) -> None:
    write_table(stored / "validation.parquet", tagged(2, 20), [0, 0], ["zero", "one", "two"])
    assert tags(load(stored, split="validation", validation=0.5)) == [20, 21]
    assert tags(load(stored, validation=0.5)) == list(range(10))


def test_at_least_one_row_on_either_side(tmp_path: Path, write_table: Write) -> None:
    path = write_table(tmp_path / "two.parquet", tagged(2))
    for share in (0.01, 0.99):
        assert len(load(path, validation=share)) == 1
        assert len(load(path, split="validation", validation=share)) == 1


@pytest.mark.parametrize(
    ("settings", "there_are"),
    [
        ({"split": "tset"}, "train, test, validation, all"),
        ({"split": "validation", "validation": 0.0}, "train, test, all"),
    ],
)
def test_unknown_split(stored: Path, settings: dict[str, Any], there_are: str) -> None:
    given = settings["split"]
    with pytest.raises(ValueError, match=rf"^split: expected one of {there_are} .*given '{given}'"):
        load(stored, **settings)


# ---------------------------------------------------------------- labels


def test_whole_numbers_and_strings_become_classes(tmp_path: Path, write_table: Write) -> None:
    write_table(tmp_path / "a" / "train.parquet", tagged(3), [7, 2, 7])
    write_table(tmp_path / "a" / "test.parquet", tagged(2), [11, 2])
    train, test = (load(tmp_path / "a", split=s, validation=0.0) for s in ("train", "test"))
    assert train.class_names == test.class_names == ("2", "7", "11")
    assert train.labels is not None
    assert test.labels is not None
    assert (train.labels.tolist(), test.labels.tolist()) == ([1, 0, 1], [2, 0])
    path = write_table(tmp_path / "b.parquet", tagged(3), ["dog", "cat", "dog"], kind="string")
    named = load(path, split="all")
    assert named.class_names == ("cat", "dog")
    assert named.labels is not None
    assert named.labels.tolist() == [1, 0, 1]


@pytest.mark.parametrize("names", [None, ["a", "b"]])
def test_no_labels(tmp_path: Path, write_table: Write, names: list[str] | None) -> None:
    without = load(write_table(tmp_path / "a.parquet", tagged(3)), split="all")
    assert (without.labels, without.classes) == (None, None)
    write_table(tmp_path / "s" / "test.parquet", tagged(2), [-1, -1], names)
    write_table(tmp_path / "s" / "train.parquet", tagged(2), [0, 1], names)
    write_table(tmp_path / "s" / "extra.parquet", tagged(2))
    assert load(tmp_path / "s", validation=0.0).classes == 2
    for split in ("test", "extra"):
        assert load(tmp_path / "s", split=split).labels is None
    with pytest.raises(ValueError, match="a label for every image or none; row 0 of split 'test'"):
        load(tmp_path / "s", split="all")


def test_labels_of_the_test_split_only(tmp_path: Path, write_table: Write) -> None:
    write_table(tmp_path / "train.parquet", tagged(2))
    write_table(tmp_path / "test.parquet", tagged(2, 2), [1, 0], ["a", "b"])
    assert load(tmp_path, validation=0.0).labels is None
    test = load(tmp_path, split="test")
    assert test.labels is not None
    assert (test.labels.tolist(), test.class_names) == ([1, 0], ("a", "b"))


def test_unlabelled_rows_have_no_class(tmp_path: Path, write_table: Write) -> None:
    for names in (["a", "b"], None):
        path = write_table(tmp_path / "x.parquet", tagged(3), [1, -1, None], names)
        assert [row.label for row in Parquet("x", {"train": (path,)}).rows("train")] == [
            0 if names is None else 1,
            None,
            None,
        ]


def test_labels_that_disagree(tmp_path: Path, write_table: Write) -> None:
    write_table(tmp_path / "test.parquet", tagged(2), [0, 1], ["a", "b"])
    write_table(tmp_path / "train.parquet", tagged(2), [0, 1], ["b", "a"])
    with pytest.raises(ValueError, match=r"^data: expected labels of the same kind and classes"):
        load(tmp_path)
    path = write_table(tmp_path / "f.parquet", tagged(2), [0.5, 1.0], kind="float32")
    with pytest.raises(ValueError, match=r"^data: expected labels .* given float"):
        load(path)


# ---------------------------------------------------------------- folders of pictures


def test_folder_of_classes(tmp_path: Path, noise: Noise, write_png: Write) -> None:
    root = tmp_path / "pets [2]"  # brackets are no pattern
    arrays = {"cat/a[1].png": 0, "cat/b.png": 1, "dog/test_1.png": 2, "dog/z*.png": 3}
    for name, seed in arrays.items():
        write_png(root / name, noise(seed))
    (root / "metadata.csv").write_text("file_name,text\ncat/b.png,hello\n")
    images = load(root, split="all")
    assert images.facts() == {"shape": (3, 4, 6), "grey_levels": 256, "classes": 2}
    assert images.class_names == ("cat", "dog")
    assert images.labels is not None
    assert images.labels.tolist() == [0, 0, 1, 1]
    expected = np.stack([noise(seed) for seed in range(4)]).transpose(0, 3, 1, 2)
    assert np.array_equal(images.images.numpy(), expected)


def test_folder_of_splits(tmp_path: Path, noise: Noise, write_png: Write) -> None:
    for index, name in enumerate(["train/a/1.png", "train/b/1.png", "test/b/1.png"]):
        write_png(tmp_path / name, noise(index))
    test = load(tmp_path, split="test")
    assert test.labels is not None
    assert (test.labels.tolist(), test.class_names) == ([1], ("a", "b"))
    assert np.array_equal(test.images[0].numpy(), noise(2).transpose(2, 0, 1))
    assert len(load(tmp_path, validation=0.0)) == 2


def test_folder_without_classes(tmp_path: Path, noise: Noise, write_png: Write) -> None:
    for split in ("train", "test"):
        write_png(tmp_path / split / "1.png", noise(0))
    assert load(tmp_path, split="all").labels is None  # and not the classes "train" and "test"


def test_relative_and_home_paths(
    tmp_path: Path, noise: Noise, write_png: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_png(tmp_path / "digits" / "1.png", noise(0))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("./digits", "~/digits"):
        images = load(name, split="all")
        assert (images.name, images.shape) == ("digits", (3, 4, 6))


# ---------------------------------------------------------------- sizes and colours


def test_mixed_sizes_need_a_size(tmp_path: Path, noise: Noise, write_png: Write) -> None:
    write_png(tmp_path / "1.png", noise(0, 4, 6))
    write_png(tmp_path / "2.png", noise(1, 4, 6))
    write_png(tmp_path / "3.png", noise(2, 8, 6))
    with pytest.raises(ValueError, match=r"4 x 6 .*given 8 x 6: .*3\.png; --data-size"):
        load(tmp_path, split="all")
    images = load(tmp_path, split="all", size=(4, 6))
    assert np.array_equal(images.images[:2, 0].numpy(), [noise(0, 4, 6), noise(1, 4, 6)])
    tall = noise(2, 8, 6).reshape(4, 2, 6).mean(1)
    assert np.abs(images.images[2, 0].numpy() - tall).max() <= 0.5
    assert load(tmp_path, split="all", size=2, crop=True).shape == (1, 2, 2)


def test_crop_and_size(tmp_path: Path, noise: Noise, write_png: Write) -> None:
    write_png(tmp_path / "1.png", noise(0, 4, 8))
    cropped = load(tmp_path, split="all", crop=True).images[0, 0].numpy()
    assert np.array_equal(cropped, noise(0, 4, 8)[:, 2:6])
    halved = load(tmp_path, split="all", crop=True, size=2).images[0, 0].numpy()
    assert np.abs(halved - noise(0, 4, 8)[:, 2:6].reshape(2, 2, 2, 2).mean((1, 3))).max() <= 1


def test_grey_and_colour_do_not_mix(tmp_path: Path, noise: Noise, write_png: Write) -> None:
    write_png(tmp_path / "1.png", noise(0, 4, 4))
    write_png(tmp_path / "2.png", noise(0, 4, 4, 3))
    with pytest.raises(ValueError, match=r"expected grey .*given a colour one: .*2\.png"):
        load(tmp_path, split="all")


def test_modes_of_one_kind_do_mix(tmp_path: Path, noise: Noise, write_png: Write) -> None:
    write_png(tmp_path / "1.png", noise(0, 4, 4, 3))
    Image.fromarray(noise(1, 4, 4, 4)).save(tmp_path / "2.png")
    Image.fromarray(noise(2, 4, 4, 3)).quantize(4).save(tmp_path / "3.png")
    assert load(tmp_path, split="all").shape == (3, 4, 4)


# ---------------------------------------------------------------- what can be wrong


@pytest.mark.parametrize("name", ["", "digit", "/no/such/folder"])
def test_no_such_set(name: str) -> None:
    with pytest.raises(ValueError, match=rf"^data: expected 'digits', a folder.*given '{name}'"):
        load_images(name)


def test_empty_folder(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"^data: expected .*neither pictures nor parquet"):
        load(tmp_path)


def test_damaged_pictures_are_named(tmp_path: Path, noise: Noise, write_table: Write) -> None:
    good = png(noise(0, 20, 20))
    path = write_table(tmp_path / "x.parquet", [good, good, good[:99]])
    with pytest.raises(ValueError, match=r"^data: expected a readable .* row 2 of split 'train'"):
        load(path, split="all")
    path = write_table(tmp_path / "y.parquet", [good, None])
    with pytest.raises(ValueError, match=r"^data: .*row 1 of split 'train' of y\.parquet"):
        load(path, split="all")
    (tmp_path / "f").mkdir()
    (tmp_path / "f" / "broken.png").write_bytes(good[:99])
    with pytest.raises(ValueError, match=r"^data: expected a readable .*broken\.png"):
        load(tmp_path / "f", split="all")


def test_damaged_tables_are_named(tmp_path: Path, write_table: Write) -> None:
    path = write_table(tmp_path / "x.parquet", tagged(2))
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(ValueError, match=r"^data: expected a readable parquet file.*x\.parquet"):
        load(path)
    empty = write_table(tmp_path / "empty.parquet", [])
    with pytest.raises(ValueError, match=r"^data: expected images, .* none in 'train'"):
        load(empty)


def test_tables_without_pictures(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.table({"picture": [1], "label": [2]}), tmp_path / "x.parquet")
    with pytest.raises(ValueError, match=r"column 'image', given \['picture', 'label'\]"):
        load(tmp_path)


def test_pictures_stored_as_plain_bytes(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.table({"image": tagged(3)}), tmp_path / "x.parquet")
    assert tags(load(tmp_path, split="all")) == [0, 1, 2]


@pytest.mark.parametrize(
    ("name", "module"),
    [("digits", "sklearn.datasets"), ("x.parquet", "datasets"), ("hf:a/b", "datasets")],
)
def test_missing_extras(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, write_table: Write, name: str, module: str
) -> None:
    monkeypatch.chdir(tmp_path)
    write_table(tmp_path / "x.parquet", tagged(3))
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(MissingExtraError, match=r"pip install 'lambent\[data\]'"):
        load_images(name)


@pytest.fixture
def pictures(tmp_path: Path, noise: Noise, write_png: Write) -> Path:
    """One picture in each of two classes."""
    for name in ("a/1.png", "b/1.png"):
        write_png(tmp_path / "pictures" / name, noise(0))
    return tmp_path / "pictures"


@pytest.mark.parametrize("kind", ["stored", "pictures"])
def test_leaves_no_traces(
    kind: str,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """No file is left anywhere, nothing is printed, and no name is looked up on a network."""
    stored: Path = request.getfixturevalue(kind)

    def refuse(*_: object, **__: object) -> None:
        looked_up.append(True)
        raise OSError("no network")

    looked_up: list[bool] = []
    monkeypatch.setattr("socket.getaddrinfo", refuse)
    monkeypatch.setattr("datasets.config.HF_HUB_OFFLINE", False)
    cache = stored.parent / "cache"
    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", cache)
    temporary = stored.parent / "temporary"
    temporary.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    before = sorted(stored.rglob("*"))
    load(stored, split="all")
    assert sorted(stored.rglob("*")) == before
    assert not any(temporary.iterdir())
    assert not cache.exists()
    assert capfd.readouterr() == ("", "")
    assert "torchvision" not in sys.modules
    assert not looked_up
