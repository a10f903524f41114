"""From a picture file to 8-bit pixels."""

from __future__ import annotations

import warnings
from io import BytesIO
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps

LARGEST = 2**26
"""Pixels a picture may have: 8192 x 8192. A small file can claim far more, and fill memory."""


def decode(picture: bytes | Path, where: str) -> Image.Image:
    """Decode a picture file, upright, opaque and in 8 bits.

    Modes 1 and L stay grey, and so do 16 grey bits, of which the upper 8 are kept: ``floor(x /
    256)``, as of 16-bit colour in PNG. Every other mode (palettes, CMYK, ...) becomes RGB. The
    camera's orientation (EXIF) is applied and transparent pixels are laid on white. Of a moving
    picture the first frame counts.

    Args:
        picture: The bytes of the file, or its path.
        where: What to call the picture in an error.

    Returns:
        A picture of mode L or RGB.

    Raises:
        ValueError: If the picture cannot be read, has more than ``LARGEST`` pixels, or numbers
            that are not of 8 or 16 bits.
    """
    try:
        with open_picture(picture) as image:
            depth = _depth(image)
            if depth <= 16:
                image.load()
                opened = ImageOps.exif_transpose(image)
    except Exception as error:  # codecs raise whatever their parsers happen to trip on
        raise ValueError(f"data: expected a readable picture, given {where}: {error}") from error
    if depth > 16:
        raise ValueError(
            f"data: expected 8 or 16 bits a channel, given others in {where}; "
            "convert the picture to 8 bits first"
        )
    if opened.mode.startswith("I"):
        deep = np.asarray(opened).astype(np.int64) >> 8
        return Image.fromarray(deep.clip(0, 255).astype(np.uint8))
    mode = "L" if opened.mode in ("1", "L") else "RGB"
    if opened.has_transparency_data:
        canvas = Image.new("RGBA", opened.size, "white")
        canvas.alpha_composite(opened.convert("RGBA"))
        opened = canvas
    return opened.convert(mode)


def open_picture(picture: bytes | Path) -> Image.Image:
    """Open a picture without decoding it.

    Args:
        picture: The bytes of the file, or its path.

    Returns:
        The picture, whose size and mode are known.

    Raises:
        ValueError: If it has more than ``LARGEST`` pixels.
        OSError: If it is none.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # ours is the lower bound
        image = Image.open(BytesIO(picture) if isinstance(picture, bytes) else picture)
    if image.width * image.height > LARGEST:
        image.close()
        raise ValueError(
            f"it claims {image.height} x {image.width} pixels, more than {LARGEST:,} in all"
        )
    return image


def _depth(image: Image.Image) -> int:
    """Bits a channel: 8, 16, or 32 for what has no rule here."""
    if image.mode.startswith("F"):
        return 32
    tiles = list(getattr(image, "tile", ()))
    for tile in tiles:
        if tile.codec_name.startswith("ppm") and isinstance(tile.args, tuple):
            largest = tile.args[1]
            return 8 if largest <= 255 else 32  # Pillow rescales these, to 8 or to 16 bits
    if image.mode.startswith("I;16") or any(";16" in str(tile.args) for tile in tiles):
        return 16
    return 32 if image.mode.startswith("I") else 8


def pixels(image: Image.Image) -> npt.NDArray[np.uint8]:
    """Return the pixels of a picture of mode L or RGB, uint8 (c, h, w)."""
    array = np.asarray(image, dtype=np.uint8)
    return array[None] if array.ndim == 2 else array.transpose(2, 0, 1)
