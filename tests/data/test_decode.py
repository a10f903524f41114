from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from lambent.data.decode import decode, pixels

Noise = Callable[..., npt.NDArray[np.uint8]]


def encoded(image: Image.Image, form: str = "PNG", **options: object) -> bytes:
    file = BytesIO()
    image.save(file, format=form, **options)
    return file.getvalue()


def deep_png(colour_type: int, channels: int) -> bytes:
    """A 16-bit PNG of 2 x 2 pixels, which Pillow itself cannot write."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    header = struct.pack(">IIBBBBB", 2, 2, 16, colour_type, 0, 0, 0)
    rows = zlib.compress((b"\0" + bytes(range(4 * channels))) * 2)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
    )


def test_grey_and_colour_are_exact(noise: Noise) -> None:
    for array in (noise(0, 4, 6), noise(1, 4, 6, 3)):
        image = decode(encoded(Image.fromarray(array)), "x")
        assert image.mode == ("L" if array.ndim == 2 else "RGB")
        assert np.array_equal(pixels(image), np.atleast_3d(array).transpose(2, 0, 1))


def test_black_and_white_is_grey() -> None:
    bits = Image.fromarray(np.array([[0, 255], [255, 0]], dtype=np.uint8)).convert("1")
    for form in ("PNG", "PPM"):
        image = decode(encoded(bits, form), "x")
        assert image.mode == "L"
        assert pixels(image).tolist() == [[[0, 255], [255, 0]]]


def test_plain_bitmap() -> None:
    assert pixels(decode(b"P1\n2 1\n1 0\n", "x")).tolist() == [[[0, 255]]]


@pytest.mark.parametrize("mode", ["P", "CMYK"])
def test_other_modes_become_colour(mode: str) -> None:
    image = Image.new("RGB", (3, 2), (255, 0, 0)).convert(mode)
    result = decode(encoded(image, "PNG" if mode == "P" else "TIFF"), "x")
    assert result.mode == "RGB"
    assert result.getpixel((1, 1)) == (255, 0, 0)


def test_transparency_is_laid_on_white(noise: Noise) -> None:
    opaque = noise(0, 4, 6, 3)
    alpha = np.full((4, 6, 1), 255, dtype=np.uint8)
    alpha[0] = 0
    alpha[1] = 51  # a fifth
    result = pixels(decode(encoded(Image.fromarray(np.concatenate([opaque, alpha], 2))), "x"))
    result = result.transpose(1, 2, 0)
    assert (result[0] == 255).all()
    assert np.abs(result[1] - (0.2 * opaque[1] + 0.8 * 255)).max() <= 1
    assert np.array_equal(result[2:], opaque[2:])


def test_transparent_grey_level_is_laid_on_white() -> None:
    grey = Image.fromarray(np.array([[7, 8]], dtype=np.uint8))
    result = decode(encoded(grey, transparency=7), "x")
    assert result.mode == "L"
    assert pixels(result).tolist() == [[[255, 8]]]


def test_orientation_is_applied() -> None:
    array = np.array([[10, 20, 30], [40, 50, 60]], dtype=np.uint8)
    exif = Image.Exif()
    exif[0x0112] = 6  # turn clockwise to show upright
    result = decode(encoded(Image.fromarray(array), exif=exif), "x")
    assert pixels(result)[0].tolist() == np.rot90(array, -1).tolist()


@pytest.mark.parametrize(("colour_type", "channels"), [(0, 1), (2, 3), (4, 2), (6, 4)])
def test_16_bits_keep_the_upper_8(colour_type: int, channels: int) -> None:
    """Grey, colour, and either with an alpha channel, which is laid on white."""
    numbers = np.arange(4 * channels, dtype=np.uint8).reshape(2, channels, 2)  # big-endian pairs
    high = numbers[..., 0]
    found = pixels(decode(deep_png(colour_type, channels), "x"))
    if channels in (1, 3):
        assert np.array_equal(found[:, 0], high.T)
        assert np.array_equal(found[:, 1], high.T)
    else:
        assert (found > 240).all()  # nearly transparent, so nearly white


def test_16_bit_grey_of_tiff_and_pgm() -> None:
    deep = np.array([[0, 255], [256, 65535]], dtype=np.uint16)
    found = pixels(decode(encoded(Image.fromarray(deep), "TIFF"), "x"))
    assert found.tolist() == [[[0, 0], [1, 255]]]
    pgm = b"P5\n2 2\n65535\n" + deep.astype(">u2").tobytes()
    assert np.array_equal(pixels(decode(pgm, "x")), found)


@pytest.mark.parametrize(
    "picture",
    [
        *(b"P6\n1 1\n65535\n" + bytes(6), b"P5\n1 1\n4095\n" + bytes(2)),
        encoded(Image.new("F", (2, 2)), "TIFF"),
        encoded(Image.new("I", (2, 2)), "TIFF"),
    ],
    ids=["ppm", "pgm", "float", "32 bits"],
)
def test_other_depths_are_refused(picture: bytes) -> None:
    with pytest.raises(ValueError, match=r"^data: expected 8 or 16 bits.*deep\.png"):
        decode(picture, "deep.png")


@pytest.mark.parametrize("sides", [(8193, 8192), (30_000, 30_000), (60_000, 60_000)])
def test_bombs_are_refused_before_they_unfold(sides: tuple[int, int]) -> None:
    """A few bytes that claim gigabytes; beyond twice its own bound Pillow refuses them itself."""
    good = encoded(Image.new("L", (1, 1)))
    header = struct.pack(">IIBBBBB", *sides, 8, 0, 0, 0, 0)
    chunk = b"IHDR" + header
    bomb = good[:12] + chunk + struct.pack(">I", zlib.crc32(chunk)) + good[33:]
    with pytest.raises(ValueError, match=r"^data: expected a readable picture, .*pixels"):
        decode(bomb, "bomb.png")


def test_unreadable_pictures_are_refused(tmp_path: Path, noise: Noise) -> None:
    good = encoded(Image.fromarray(noise(0, 30, 30)))
    for bad in (b"", b"no picture", good[: len(good) // 2], tmp_path / "missing.png"):
        with pytest.raises(ValueError, match=r"^data: expected a readable picture, given here"):
            decode(bad, "here")
