from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image

from lambent.data import grid, read_picture, write_picture


def noise(*shape: int) -> torch.Tensor:
    return torch.randint(0, 256, shape, generator=torch.Generator().manual_seed(0)).byte()


def test_grid_by_hand() -> None:
    images = torch.tensor([1, 2, 3], dtype=torch.uint8).view(3, 1, 1, 1).expand(3, 1, 1, 2)
    expected = [
        [0, 0, 0, 0, 0, 0, 0],
        [0, 1, 1, 0, 2, 2, 0],
        [0, 0, 0, 0, 0, 0, 0],
        [0, 3, 3, 0, 0, 0, 0],
        [0, 0, 0, 0, 0, 0, 0],
    ]
    assert grid(images).tolist() == [expected]
    assert grid(images, columns=3, padding=0).tolist() == [[[1, 1, 2, 2, 3, 3]]]
    assert grid(images, columns=1, padding=0).tolist() == [[[1, 1], [2, 2], [3, 3]]]
    assert grid(images, columns=9, padding=0).shape == (1, 1, 6)


def test_grid_of_colour() -> None:
    images = noise(5, 3, 4, 6)
    result = grid(images, columns=3, padding=2)
    assert result.shape == (3, 2 + 2 * 6, 2 + 3 * 8)
    assert torch.equal(result[:, 8:12, 10:16], images[4])


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ({"images": noise(2, 1, 2, 2).float()}, "images"),
        ({"images": noise(1, 2, 2)}, "images"),
        ({"images": noise(2, 1, 2, 2)[:0]}, "images"),
        ({"columns": 0}, "columns"),
        ({"padding": -1}, "padding"),
    ],
)
def test_grid_arguments(arguments: dict[str, Any], name: str) -> None:
    with pytest.raises(ValueError, match=rf"^{name}: expected"):
        grid(**{"images": noise(2, 1, 2, 2), **arguments})


@pytest.mark.parametrize("channels", [1, 3])
def test_write_then_read(tmp_path: Path, channels: int) -> None:
    image = noise(channels, 5, 7)
    path = tmp_path / "new" / "folder" / "x.PNG"
    write_picture(path, image, scale=1)
    assert torch.equal(read_picture(path, (channels, 5, 7)), image)
    assert os.listdir(path.parent) == ["x.PNG"]  # noqa: PTH208


def test_enlarged_by_whole_pixels(tmp_path: Path) -> None:
    image = noise(3, 5, 7)
    write_picture(tmp_path / "x.png", image)  # 52 x 5 = 260 is the first multiple from 256
    expected = image.repeat_interleave(52, 1).repeat_interleave(52, 2)
    assert torch.equal(read_picture(tmp_path / "x.png", (3, 260, 364)), expected)
    write_picture(tmp_path / "y.png", image, scale=2)
    assert read_picture(tmp_path / "y.png", (3, 10, 14)).shape == (3, 10, 14)


def test_large_pictures_keep_their_size(tmp_path: Path) -> None:
    write_picture(tmp_path / "x.png", noise(1, 300, 256))
    assert read_picture(tmp_path / "x.png", (1, 300, 256)).shape == (1, 300, 256)


def test_overwrites_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "x.png"
    before, after = noise(1, 4, 4), noise(1, 4, 4).flip(1)
    write_picture(path, before, scale=1)

    def fail(self: Image.Image, file: Path, **_: object) -> None:
        file.write_bytes(b"half")
        raise OSError("disk full")

    with monkeypatch.context() as patch:
        patch.setattr(Image.Image, "save", fail)
        with pytest.raises(OSError, match="disk full"):
            write_picture(path, after, scale=1)
    assert torch.equal(read_picture(path, (1, 4, 4)), before)
    assert [file.name for file in tmp_path.iterdir()] == ["x.png"]
    write_picture(path, after, scale=1)
    assert torch.equal(read_picture(path, (1, 4, 4)), after)


def test_permissions_are_those_of_a_new_file(tmp_path: Path) -> None:
    write_picture(tmp_path / "x.png", noise(1, 4, 4))
    (tmp_path / "y").touch()
    modes = {stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("x.png", "y")}
    assert len(modes) == 1


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("path", {"path": "x.nonsense"}),
        ("path", {"path": "x"}),
        ("image", {"image": noise(2, 4, 4)}),
        ("image", {"image": noise(3, 4, 4).float()}),
        ("image", {"image": noise(4, 4)}),
        ("scale", {"scale": 0}),
    ],
)
def test_write_arguments(tmp_path: Path, name: str, arguments: dict[str, Any]) -> None:
    arguments = {"path": "x.png", "image": noise(1, 4, 4), **arguments}
    arguments["path"] = tmp_path / "folder" / arguments["path"]
    with pytest.raises(ValueError, match=rf"^{name}: expected"):
        write_picture(**arguments)
    assert not any(tmp_path.iterdir())


def test_channels_are_converted(tmp_path: Path) -> None:
    grey, colour = noise(1, 4, 4), noise(3, 4, 4)
    write_picture(tmp_path / "grey.png", grey, scale=1)
    write_picture(tmp_path / "colour.png", colour, scale=1)
    assert torch.equal(read_picture(tmp_path / "grey.png", (3, 4, 4)), grey.expand(3, 4, 4))
    luma = (colour.double() * torch.tensor([0.299, 0.587, 0.114]).view(3, 1, 1)).sum(0)
    result = read_picture(tmp_path / "colour.png", (1, 4, 4))
    assert (result[0] - luma).abs().max() <= 0.51


def test_read_names_what_is_wrong(tmp_path: Path) -> None:
    path = tmp_path / "x.png"
    write_picture(path, noise(1, 4, 6), scale=1)
    with pytest.raises(ValueError, match=r"^path: .* 6 x 4 pixels .* given 4 x 6 in .*x\.png"):
        read_picture(path, (1, 6, 4))
    with pytest.raises(ValueError, match=r"^shape: expected 1 or 3 channels, given 2"):
        read_picture(path, (2, 4, 6))
    with pytest.raises(ValueError, match=r"missing\.png"):
        read_picture(tmp_path / "missing.png", (1, 4, 6))
