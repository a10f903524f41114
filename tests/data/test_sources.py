"""The forms that sets are published in, each on small files of that form."""

from __future__ import annotations

import gzip
import pickle
import struct
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import datasets
import numpy as np
import numpy.typing as npt
import pytest
import torch
from PIL import Image

from lambent.data import DataConfig, load_images
from lambent.data.recipes import recipe
from lambent.errors import DataWarning

Noise = Callable[..., npt.NDArray[np.uint8]]
Pixels = npt.NDArray[np.uint8]


def load(name: Path | str, **settings: Any) -> Any:
    return load_images(str(name), DataConfig(**{"split": "all", **settings}))


# ---------------------------------------------------------------- NumPy


@pytest.mark.parametrize(
    ("shape", "event"),
    [((5, 4, 6), (1, 4, 6)), ((5, 4, 6, 3), (3, 4, 6)), ((5, 3, 4, 6), (3, 4, 6))],
)
def test_npy(
    shape: tuple[int, ...], event: tuple[int, int, int], noise: Noise, tmp_path: Path
) -> None:
    array = noise(0, *shape)
    np.save(tmp_path / "set.npy", array)
    images = load(tmp_path / "set.npy")
    assert images.facts() == {"shape": event, "grey_levels": 256, "classes": None}
    assert images.name == "set"
    expected = array.transpose(0, 3, 1, 2) if shape[-1] == 3 else array.reshape(5, *event)
    assert np.array_equal(images.images.numpy(), expected)


@pytest.mark.parametrize(
    "keys",
    [
        ("x_train", "y_train", "x_test", "y_test"),
        ("images", "labels", "test_images", "test_labels"),
    ],
)
def test_npz_with_splits(keys: tuple[str, ...], noise: Noise, tmp_path: Path) -> None:
    arrays = [noise(0, 6, 4, 4), np.arange(6) % 3, noise(1, 2, 4, 4), np.array([[2], [1]])]
    np.savez_compressed(tmp_path / "set.npz", **dict(zip(keys, arrays, strict=True)))
    test = load(tmp_path / "set.npz", split="test")
    assert np.array_equal(test.images[:, 0].numpy(), arrays[2])
    assert test.labels.tolist() == [2, 1]
    everything = load(tmp_path / "set.npz")
    assert everything.labels.tolist() == [0, 1, 2, 0, 1, 2, 2, 1]
    held_out = load(tmp_path / "set.npz", split="validation", validation_split="test")
    assert torch.equal(held_out.images, test.images)
    train = load(tmp_path / "set.npz", split="train", validation_split="test")
    assert len(train) == 6


class Fires:
    """Something that runs when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, tuple[Any, ...]]:
        return Path.touch, (self.path,)


def test_numpy_files_that_are_refused(noise: Noise, tmp_path: Path) -> None:
    def refused(message: str, **arrays: Any) -> None:
        np.savez(tmp_path / "set.npz", **arrays)
        with pytest.raises(ValueError, match=message):
            load(tmp_path / "set.npz")

    refused("^data: expected images of uint8, given float32", images=np.zeros((2, 4, 4), "f4"))
    refused(r"^data: expected images .* given \(2, 4, 4, 2\)", images=noise(0, 2, 4, 4, 2))
    refused("^data: expected one axis of 1 or 3 channels", images=noise(0, 2, 3, 4, 3))
    refused(
        "^data: expected one array of images .* for 'train', given images, x in",
        images=noise(0, 2, 4, 4),
        x=noise(1, 2, 4, 4),
    )
    refused("^data: expected arrays named images", weights=noise(0, 2, 4, 4))
    refused("^data: expected a label for every image", x=noise(0, 2, 4, 4), y=np.zeros(3, int))
    refused("^data: expected labels .* whole numbers", x=noise(0, 2, 4, 4), y=np.zeros(2))
    refused("^data: expected labels .* from 0", x=noise(0, 2, 4, 4), y=np.array([0, -1]))
    fired = tmp_path / "fired"
    refused("^data: expected a readable .npz file", images=np.array([Fires(fired)], dtype=object))
    assert not fired.exists()
    for content in (b"", b"PK\x03\x04 cut short", b"\x93NUMPY cut short"):
        for suffix in (".npz", ".npy"):
            path = tmp_path / f"broken{suffix}"
            path.write_bytes(content)
            with pytest.raises(ValueError, match=r"^data: expected a readable .np"):
                load(path)


# ---------------------------------------------------------------- MNIST, CIFAR-10


def write_idx(path: Path, array: Pixels) -> None:
    content = (
        struct.pack(f">{1 + array.ndim}I", 0x0800 + array.ndim, *array.shape) + array.tobytes()
    )
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)


@pytest.mark.parametrize("names", ["{}-images-idx3-ubyte.gz", "{}-images.idx3-ubyte"])
def test_mnist_padded_as_in_the_paper(names: str, noise: Noise, tmp_path: Path) -> None:
    """To 32 x 32 by zeros and to three equal channels; the test images validate."""
    digits = {"train": noise(0, 6, 28, 28), "t10k": noise(1, 3, 28, 28)}
    for word, array in digits.items():
        name = names.format(word)
        write_idx(tmp_path / name, array)
        name = name.replace("images", "labels").replace("idx3", "idx1")
        write_idx(tmp_path / name, (np.arange(len(array)) % 10).astype(np.uint8))
    for split, word in (("train", "train"), ("validation", "t10k")):
        images = load_images(str(tmp_path), replace(recipe("mnist"), split=split))
        assert images.shape == (3, 32, 32)
        found = images.images.numpy()
        assert np.array_equal(found[:, 0, 2:30, 2:30], digits[word])
        assert found[:, 0].sum() == digits[word].sum()
        assert np.array_equal(found[:, 0], found[:, 1])
        assert np.array_equal(found[:, 0], found[:, 2])
        assert images.labels is not None
        assert images.labels.tolist() == list(range(len(images)))


def test_idx_files_that_are_refused(noise: Noise, tmp_path: Path) -> None:
    images = tmp_path / "train-images-idx3-ubyte"
    write_idx(images, noise(0, 4, 3, 3))
    whole = images.read_bytes()
    for content in (whole[:-1], whole[:7], b"", whole[4:]):
        images.write_bytes(content)
        with pytest.raises(ValueError, match=r"^data: expected a.* IDX file"):
            load(tmp_path)
    images.write_bytes(whole)
    write_idx(tmp_path / "train-labels-idx1-ubyte", np.zeros(5, dtype=np.uint8))
    with pytest.raises(ValueError, match=r"^data: expected 4 labels, given 5"):
        load(tmp_path)


def write_cifar(folder: Path, noise: Noise) -> dict[str, Pixels]:
    folder.mkdir()
    written = {}
    for index, name in enumerate(["data_batch_1", "data_batch_2", "test_batch"]):
        pixels = noise(index, 4, 3, 32, 32)
        labels = ((np.arange(4) + index) % 10).astype(np.uint8)
        records = np.concatenate([labels[:, None], pixels.reshape(4, -1)], 1)
        (folder / f"{name}.bin").write_bytes(records.tobytes())
        written[name] = pixels
    names = "airplane automobile bird cat deer dog frog horse ship truck"
    (folder / "batches.meta.txt").write_text("\n".join(names.split()) + "\n\n")
    return written


def test_cifar10_as_in_the_paper(noise: Noise, tmp_path: Path) -> None:
    written = write_cifar(tmp_path / "cifar-10-batches-bin", noise)
    folder = str(tmp_path / "cifar-10-batches-bin")
    train = load_images(folder, recipe("cifar10"))
    expected = np.concatenate([written["data_batch_1"], written["data_batch_2"]])
    assert np.array_equal(train.images.numpy(), expected)
    assert train.labels is not None
    assert train.labels.tolist() == [0, 1, 2, 3, 1, 2, 3, 4]
    assert train.class_names is not None
    assert train.class_names[9] == "truck"
    held_out = load_images(folder, replace(recipe("cifar10"), split="validation"))
    assert np.array_equal(held_out.images.numpy(), written["test_batch"])


def test_cifar10_files_that_are_refused(noise: Noise, tmp_path: Path) -> None:
    folder = tmp_path / "cifar"
    write_cifar(folder, noise)
    batch = folder / "test_batch.bin"
    whole = batch.read_bytes()
    batch.write_bytes(whole[:-5])
    with pytest.raises(ValueError, match=r"^data: expected records of 3073 bytes"):
        load(folder)
    batch.write_bytes(b"\x0b" + whole[1:])
    with pytest.raises(ValueError, match=r"^data: expected labels 0 to 9"):
        load(folder)
    pickled = tmp_path / "cifar-10-batches-py"
    pickled.mkdir()
    fired = tmp_path / "fired"
    (pickled / "data_batch_1").write_bytes(pickle.dumps(Fires(fired)))
    with pytest.raises(ValueError, match=r"^data: expected CIFAR-10's binary version, .* pickles"):
        load(pickled)
    assert not fired.exists()


# ---------------------------------------------------------------- folders of the paper


def write_pictures(folder: Path, arrays: Pixels, suffix: str = ".png") -> None:
    folder.mkdir(parents=True)
    for index, array in enumerate(arrays):
        Image.fromarray(array).save(folder / f"{index:05}{suffix}")


@pytest.mark.parametrize("side", [32, 64])
def test_imagenet_as_in_the_paper(side: int, noise: Noise, tmp_path: Path) -> None:
    """The folders that the archives train_32x32.tar and valid_32x32.tar hold."""
    train, valid = noise(0, 5, side, side, 3), noise(1, 2, side, side, 3)
    write_pictures(tmp_path / f"train_{side}x{side}", train)
    write_pictures(tmp_path / f"valid_{side}x{side}", valid)
    config = recipe(f"imagenet{side}")
    found = load_images(str(tmp_path), config)
    assert np.array_equal(found.images.numpy(), train.transpose(0, 3, 1, 2))
    assert found.labels is None
    held_out = load_images(str(tmp_path), replace(config, split="validation"))
    assert np.array_equal(held_out.images.numpy(), valid.transpose(0, 3, 1, 2))


def test_lsun_for_pictures_as_in_the_paper(noise: Noise, tmp_path: Path) -> None:
    """The centre of each picture, averaged down."""
    wide = noise(0, 2, 192, 256, 3)
    write_pictures(tmp_path / "church_outdoor_train", wide)
    write_pictures(tmp_path / "church_outdoor_val", noise(1, 1, 192, 256, 3))
    found = load_images(str(tmp_path), recipe("lsun96"))
    centre = wide[:, :, 32:224].astype(float)
    means = centre.reshape(2, 96, 2, 96, 2, 3).mean((2, 4)).transpose(0, 3, 1, 2)
    assert np.abs(found.images.numpy() - means).max() <= 1


def test_celeba_hq_as_in_the_paper(noise: Noise, tmp_path: Path) -> None:
    """Halved by averages rounded down; of 30,000 rows 3,000 validate, here 3 of 30."""
    faces = noise(0, 30, 32, 32, 3)
    np.save(tmp_path / "celeba_hq.npy", faces)
    config = replace(recipe("celeba_hq"), size=16)
    train = load_images(str(tmp_path / "celeba_hq.npy"), config)
    held_out = load_images(str(tmp_path / "celeba_hq.npy"), replace(config, split="validation"))
    assert (len(train), len(held_out)) == (27, 3)
    assert recipe("celeba_hq").target == (256, 256)
    halved = faces.reshape(30, 16, 2, 16, 2, 3).astype(int).sum((2, 4)) // 4
    everything = torch.cat([train.images, held_out.images]).permute(0, 2, 3, 1).numpy()
    assert sorted(image.tobytes() for image in everything.astype(int)) == sorted(
        image.tobytes() for image in halved
    )


# ---------------------------------------------------------------- Hugging Face


@pytest.fixture
def table(noise: Noise) -> datasets.Dataset:
    features = datasets.Features(
        {
            "id": datasets.Value("int64"),
            "img": datasets.Image(),
            "kind": datasets.ClassLabel(names=["cat", "dog"]),
        }
    )
    rows = {
        "id": [0, 1, 2],
        "img": [Image.fromarray(array) for array in noise(0, 3, 4, 4, 3)],
        "kind": [1, 0, 1],
    }
    return datasets.Dataset.from_dict(rows, features=features)


def test_saved_tables(table: datasets.Dataset, noise: Noise, tmp_path: Path) -> None:
    table.save_to_disk(tmp_path / "one")
    datasets.DatasetDict(train=table, test=table.select([1])).save_to_disk(tmp_path / "two")
    expected = noise(0, 3, 4, 4, 3).transpose(0, 3, 1, 2)
    file = next((tmp_path / "one").glob("*.arrow"))
    for path in (tmp_path / "one", tmp_path / "two", file):
        images = load(path, split="train", validation=0.0)
        assert np.array_equal(images.images.numpy(), expected)
        assert images.labels.tolist() == [1, 0, 1]
        assert images.class_names == ("cat", "dog")
    assert len(load(tmp_path / "two", split="test")) == 1


def test_hub_names(table: datasets.Dataset, noise: Noise, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def load_dataset(*arguments: str) -> datasets.DatasetDict:
        asked.append(arguments)
        return datasets.DatasetDict(train=table)

    monkeypatch.setattr(datasets, "load_dataset", load_dataset)
    images = load("hf:someone/pets")
    assert np.array_equal(images.images.numpy(), noise(0, 3, 4, 4, 3).transpose(0, 3, 1, 2))
    load("hf:someone/pets:small")
    assert asked == [("someone/pets",), ("someone/pets", "small")]


def test_hub_without_a_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
    with pytest.raises(ValueError, match=r"^data: expected a set .* a network .*'hf:nobody/none'"):
        load("hf:nobody/none")


def test_labels_of_other_kinds(noise: Noise, tmp_path: Path) -> None:
    """Strings and whole numbers become classes, as in parquet files; nothing else does."""

    def saved(labels: list[Any]) -> Path:
        images = [Image.fromarray(array) for array in noise(0, len(labels), 4, 4, 3)]
        kind = datasets.Dataset.from_dict({"label": labels}).features["label"]
        features = datasets.Features({"image": datasets.Image(), "label": kind})
        path = tmp_path / f"set{len(list(tmp_path.iterdir()))}"
        rows = {"image": images, "label": labels}
        datasets.Dataset.from_dict(rows, features=features).save_to_disk(path)
        return path

    for labels, codes, names in (
        (["b", "a", "b"], [1, 0, 1], ("a", "b")),
        ([7, 3, 7], [1, 0, 1], ("3", "7")),
    ):
        images = load(saved(labels))
        assert images.labels.tolist() == codes
        assert images.class_names == names
    for labels in ([0.5, 1.5], [[0, 1], [1]]):
        with pytest.raises(ValueError, match=r"^data: expected labels that are class labels"):
            load(saved(labels))


@pytest.mark.parametrize("name", ["hf:", "hf:a:b:c"])
def test_hub_names_that_are_none(name: str) -> None:
    with pytest.raises(ValueError, match=r"^data: expected hf:OWNER/NAME or"):
        load(name)


def test_tables_without_pictures(tmp_path: Path) -> None:
    datasets.Dataset.from_dict({"a": [1]}).save_to_disk(tmp_path / "set")
    with pytest.raises(ValueError, match=r"^data: expected a column of pictures, given a"):
        load(tmp_path / "set")
    (tmp_path / "broken.arrow").write_bytes(b"no table")
    with pytest.raises(ValueError, match=r"^data: expected readable Arrow files"):
        load(tmp_path / "broken.arrow")


# ---------------------------------------------------------------- pictures at fault


def test_faulty_pictures_are_counted_and_refused_or_skipped(noise: Noise, tmp_path: Path) -> None:
    arrays = noise(0, 6, 4, 4, 3)
    write_pictures(tmp_path / "set", arrays)
    folder = tmp_path / "set"
    (folder / "00001.png").write_bytes((folder / "00001.png").read_bytes()[:60])
    (folder / "00003.png").write_bytes(b"")
    Image.fromarray(noise(1, 4, 5, 3)).save(folder / "00004.png")
    with pytest.raises(ValueError, match=r"^data: .*00001\.png.*; 3 of 6 pictures are at fault"):
        load(folder)
    with pytest.warns(DataWarning, match=r"3 of 6 pictures .* left out: .*00001.*00003.*4 x 5"):
        images = load(folder, on_error="skip")
    assert np.array_equal(images.images.numpy(), arrays[[0, 2, 5]].transpose(0, 3, 1, 2))
    for index in (0, 2, 4, 5):
        (folder / f"{index:05}.png").write_bytes(b"")
    with pytest.raises(ValueError, match="6 of 6 pictures are at fault"):
        load(folder, on_error="skip")


def test_fewer_grey_levels(noise: Noise, tmp_path: Path) -> None:
    np.save(tmp_path / "set.npy", noise(0, 3, 4, 4))
    images = load(tmp_path / "set.npy", grey_levels=4)
    assert images.facts()["grey_levels"] == 4
    assert set(images.images.unique().tolist()) == {0, 64, 128, 192}


def test_validation_split_has_to_be_one_of_the_others(noise: Noise, tmp_path: Path) -> None:
    np.savez(tmp_path / "set.npz", x_train=noise(0, 3, 4, 4), x_test=noise(1, 2, 4, 4))
    for name in ("train", "valid"):
        with pytest.raises(ValueError, match=f"^validation_split: .* test of set, given '{name}'"):
            load(tmp_path / "set.npz", split="train", validation_split=name)
