"""From a picture file to 8-bit pixels."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps


def decode(picture: bytes | Path, where: str) -> Image.Image:
    """Decode a picture file, upright and opaque.

    Modes 1 and L stay grey; every other mode becomes RGB. The camera's orientation (EXIF) is
    applied and transparent pixels are laid on white. Of a moving picture the first frame counts.

    Args:
        picture: The bytes of the file, or its path.
        where: What to call the picture in an error.

    Returns:
        A picture of mode L or RGB.

    Raises:
        ValueError: If the picture cannot be read, or has more than 8 bits a channel.
    """
    try:
        with Image.open(BytesIO(picture) if isinstance(picture, bytes) else picture) as image:
            deep = _more_than_8_bits(image)
            if not deep:
                image.load()
                opened = ImageOps.exif_transpose(image)
    except Exception as error:  # codecs raise whatever their parsers happen to trip on
        raise ValueError(f"data: expected a readable picture, given {where}: {error}") from error
    if deep:
        raise ValueError(
            f"data: expected at most 8 bits a channel, given more in {where}; "
            "convert the picture to 8 bits first"
        )
    mode = "L" if opened.mode in ("1", "L") else "RGB"
    if opened.has_transparency_data:
        canvas = Image.new("RGBA", opened.size, "white")
        canvas.alpha_composite(opened.convert("RGBA"))
        opened = canvas
    return opened.convert(mode)


def _more_than_8_bits(image: Image.Image) -> bool:
    """Tell whether decoding would drop bits: Pillow reads 16-bit colour as 8-bit silently."""
    if image.mode.startswith(("I", "F")):
        return True
    for tile in getattr(image, "tile", ()):
        if ";16" in str(tile.args):  # a raw mode such as RGB;16B
            return True
        if tile.codec_name.startswith("ppm") and isinstance(tile.args, tuple):
            _, largest = tile.args
            if largest > 255:
                return True
    return False


def fit(image: Image.Image, size: tuple[int, int] | None, *, crop: bool) -> Image.Image:
    """Crop and resize a picture.

    Shrinking by whole factors averages boxes of pixels (Pillow's BOX, which rounds after each
    direction, so within one level of the mean); every other resize uses Pillow's LANCZOS. Without
    ``crop`` a picture of another aspect is stretched.

    Args:
        image: A picture of mode L or RGB.
        size: (height, width) to resize to in pixels, or None.
        crop: Whether to cut the centre out first, at the aspect of ``size``; square if None.

    Returns:
        The picture, of ``size`` if given.
    """
    if crop:
        image = _centre(image, *(size or (1, 1)))
    if size is None:
        return image
    height, width = size
    if (image.height, image.width) == size:
        return image
    whole = image.height % height == 0 and image.width % width == 0
    filter_ = Image.Resampling.BOX if whole else Image.Resampling.LANCZOS
    return image.resize((width, height), filter_)


def _centre(image: Image.Image, height: int, width: int) -> Image.Image:
    """Cut out the largest centred rectangle of the aspect height : width."""
    new_width = min(image.width, max(1, round(image.height * width / height)))
    new_height = min(image.height, max(1, round(image.width * height / width)))
    left, top = (image.width - new_width) // 2, (image.height - new_height) // 2
    return image.crop((left, top, left + new_width, top + new_height))


def pixels(image: Image.Image) -> npt.NDArray[np.uint8]:
    """Return the pixels of a picture of mode L or RGB, uint8 (c, h, w)."""
    array = np.asarray(image, dtype=np.uint8)
    return array[None] if array.ndim == 2 else array.transpose(2, 0, 1)
