"""A set on disk gives, row by row and batch by batch, what the set in memory would."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from PIL import Image
from torch.utils.data import DataLoader

from lambent.data import (
    DataConfig,
    Images,
    ImageSet,
    ShuffledBatches,
    Windows,
    batches,
    hold_out,
    load_images,
    load_uncut,
)
from lambent.data.on_disk import OnDisk
from lambent.errors import DataWarning

from .conftest import png

Noise = Callable[..., npt.NDArray[np.uint8]]
Write = Callable[..., Path]


@pytest.fixture(params=["pictures", "parquet", "npz"])
def stored(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    noise: Noise,
    write_table: Write,
    monkeypatch: pytest.MonkeyPatch,
) -> Path:
    """Twenty labelled pictures and five more for testing."""
    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", str(tmp_path / "cache"))
    arrays = {"train": noise(0, 20, 6, 8, 3), "test": noise(1, 5, 6, 8, 3)}
    root = tmp_path / "set"
    root.mkdir()
    if request.param == "pictures":
        for split, images in arrays.items():
            for index, pixels in enumerate(images):
                path = root / split / "ab"[index % 2] / f"{index:02}.png"
                path.parent.mkdir(parents=True, exist_ok=True)
                Image.fromarray(pixels).save(path)
        return root
    if request.param == "parquet":
        for split, images in arrays.items():
            labels = ["ba"[index % 2] for index in range(len(images))]
            write_table(root / f"{split}.parquet", [png(i) for i in images], labels, kind="string")
        return root
    labels = {f"y_{split}": np.arange(len(images)) % 2 for split, images in arrays.items()}
    np.savez(root / "a.npz", **{f"x_{k}": v for k, v in arrays.items()}, **labels)
    return root / "a.npz"


def both(path: Path, **settings: Any) -> tuple[ImageSet, ImageSet]:
    config = DataConfig(**settings)
    return tuple(load_images(str(path), replace(config, in_memory=m)) for m in (True, False))  # type: ignore[return-value]


def assert_equal(one: ImageSet, other: ImageSet) -> None:
    assert one.facts() == other.facts()
    assert (len(one), one.class_names, one.name) == (len(other), other.class_names, other.name)
    for (x, y), (u, v) in zip(batches(one, 7), batches(other, 7), strict=True):
        assert torch.equal(x, u)
        assert (y is None) == (v is None)
        assert y is None or torch.equal(y, v)


@pytest.mark.parametrize("split", ["train", "validation", "test", "all"])
def test_the_same_images_and_labels(stored: Path, split: str) -> None:
    memory, disk = both(stored, split=split, validation=0.3, size=4, channels=1, grey_levels=8)
    assert isinstance(memory, Images)
    assert isinstance(disk, OnDisk)
    assert_equal(memory, disk)
    assert_equal(*(hold_out(part, 0.4, 3)[1] for part in (memory, disk)))
    assert_equal(memory.quantised(5), disk.quantised(5))
    for index in (
        -1,
        torch.tensor(1),
        torch.tensor([1, 0, 1]),
        torch.tensor([], dtype=torch.int64),
    ):
        assert torch.equal(memory[index][0], disk[index][0])
    image, label = disk[2]
    assert torch.equal(image, memory[2][0])
    assert label is not None
    assert label == memory[2][1]
    assert_equal(disk, pickle.loads(pickle.dumps(disk)))


def test_the_same_batches_from_other_processes(stored: Path) -> None:
    memory, disk = both(stored, split="all")
    order = ShuffledBatches(len(memory), 4, seed=2, drop_last=False)
    order.set_epoch(1)
    expected = list(DataLoader(memory, sampler=order, batch_size=None))
    found = list(DataLoader(disk, sampler=order, batch_size=None, num_workers=2))
    for (x, y), (u, v) in zip(found, expected, strict=True):
        assert torch.equal(x, u)
        assert torch.equal(y, v)


def test_windows_in_either(stored: Path) -> None:
    memory, disk = both(stored, split="all")
    index = torch.arange(25)
    for images in (memory, disk):
        windows = Windows(images, (4, 4), 0.3)
        reads = windows.anywhere(index, (1, 2), flip=True)
        x, _ = windows[reads]
        y, _ = Windows(memory, (4, 4), 0.3)[reads]
        assert torch.equal(x, y)


def test_size_decides_unless_told(stored: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert isinstance(load_images(str(stored)), Images)
    monkeypatch.setattr("lambent.data.gather.MEMORY", 20 * 6 * 8 * 3 * 0.9 - 1)
    assert isinstance(load_images(str(stored)), OnDisk)
    assert isinstance(load_images(str(stored), DataConfig(in_memory=True)), Images)


def write_pictures(folder: Path, sizes: list[tuple[int, int]], noise: Noise) -> None:
    folder.mkdir()
    for index, size in enumerate(sizes):
        Image.fromarray(noise(index, *size, 3)).save(folder / f"{index}.png")


def test_faulty_pictures_are_found_when_opened_or_when_read(tmp_path: Path, noise: Noise) -> None:
    write_pictures(tmp_path / "set", [(4, 4), (4, 5), (4, 4), (4, 4)], noise)
    (tmp_path / "set/2.png").write_bytes(b"no picture")
    config = DataConfig(split="all", in_memory=False)
    with pytest.raises(ValueError, match=r"given 4 x 5.*1\.png.*; 2 of 4 pictures are at fault"):
        load_images(str(tmp_path / "set"), config)
    with pytest.warns(DataWarning, match=r"2 of 4 pictures .* left out: .*1\.png.*2\.png"):
        kept = load_images(str(tmp_path / "set"), replace(config, on_error="skip"))
    assert len(kept) == 2
    unseen = load_images(str(tmp_path / "set"), replace(config, check=False))
    assert len(unseen) == 4
    assert unseen[0][0].shape == (3, 4, 4)
    for index, message in ((1, r"given 4 x 5.*1\.png"), (2, r"readable picture.*2\.png")):
        with pytest.raises(ValueError, match=message):
            unseen[index]
    with pytest.raises(ValueError, match=r"^check: expected true with on_error skip"):
        DataConfig(check=False, on_error="skip")


@pytest.mark.parametrize("check", [True, False])
def test_pictures_of_any_aspect_for_random_windows(
    *, check: bool, tmp_path: Path, noise: Noise
) -> None:
    """As LSUN for likelihoods: the shorter side scaled, a window cut anywhere, or at the centre."""
    write_pictures(tmp_path / "set", [(8, 12), (16, 8), (8, 8)], noise)
    config = DataConfig(split="all", shorter_side=8, window=6, check=check)
    held_out = load_images(str(tmp_path / "set"), config)
    assert held_out.shape == (3, 6, 6)
    uncut = load_uncut(str(tmp_path / "set"), config)
    assert uncut.shape == (3, 8, 8)
    windows = Windows(uncut, (6, 6))
    index = torch.arange(3)
    centres, _ = windows[windows.centres(index)]
    assert torch.equal(centres, held_out[:][0])
    first = torch.from_numpy(noise(0, 8, 12, 3)).permute(2, 0, 1)
    seen = set()
    for step in range(60):
        x, _ = windows[windows.anywhere(index, (step,), flip=False)]
        places = [
            (top, left)
            for top in range(3)
            for left in range(7)
            if torch.equal(x[0], first[:, top : top + 6, left : left + 6])
        ]
        assert len(places) == 1
        seen |= set(places)
    assert len(seen) > 15


@pytest.fixture
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", str(tmp_path / "cache"))


@pytest.mark.usefixtures("_own_cache")
def test_a_changed_parquet_file_is_read_anew(
    tmp_path: Path, noise: Noise, write_table: Write, capfd: pytest.CaptureFixture[str]
) -> None:
    for seed in (1, 2):
        pictures = [png(noise(10 * seed + i)) for i in range(3)]
        path = write_table(tmp_path / "set.parquet", pictures, [7, 8, 7])
        assert_equal(*both(path, split="all"))
    assert capfd.readouterr() == ("", "")


@pytest.mark.usefixtures("_own_cache")
def test_faulty_rows_of_a_table_are_named(tmp_path: Path, noise: Noise, write_table: Write) -> None:
    rows = [png(noise(i, 4 + i // 2, 6)) for i in range(3)]
    path = write_table(tmp_path / "set.parquet", [*rows, None])
    images = load_images(str(path), DataConfig(split="all", in_memory=False, check=False))
    assert len(images[:2][0]) == 2
    with pytest.raises(ValueError, match=r"given 5 x 6: row 2 of split 'train' of set"):
        images[2]
    with pytest.raises(ValueError, match=r"expected a picture, given none in row 3 of split"):
        images[3]


@pytest.mark.usefixtures("_own_cache")
def test_a_damaged_table_is_refused(tmp_path: Path, noise: Noise, write_table: Write) -> None:
    pictures = [noise(i, 90, 90).tobytes() for i in range(40)]
    path = write_table(tmp_path / "set.parquet", pictures)
    content = bytearray(path.read_bytes())
    content[4:2000] = bytes(1996)
    path.write_bytes(bytes(content))
    with pytest.raises(ValueError, match="data: expected readable files and room for the cache"):
        load_images(str(path), DataConfig(in_memory=False))


def test_windows_are_not_cut_out_of_smaller_pictures(tmp_path: Path, noise: Noise) -> None:
    write_pictures(tmp_path / "set", [(12, 12), (6, 6)], noise)
    Image.fromarray(noise(2, 12, 12)).save(tmp_path / "set/2.png")
    config = DataConfig(split="all", in_memory=False, check=False)
    windows = Windows(load_uncut(str(tmp_path / "set"), config), (8, 8))
    assert windows[windows.centres(torch.tensor([0]))][0].shape == (1, 3, 8, 8)
    for number, found in ((1, r"3 of 6 x 6: .*1\.png"), (2, r"1 of 12 x 12: .*2\.png")):
        with pytest.raises(ValueError, match=rf"^data: .* at least 8 x 8, given {found}"):
            windows[windows.centres(torch.tensor([number]))]
