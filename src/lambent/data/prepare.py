"""From a decoded picture to the image that a set holds: cropped, resized, padded, cut."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageOps

from lambent.data.config import DataConfig


def prepare(image: Image.Image, config: DataConfig) -> Image.Image:
    """Do to a picture what a config says, in the order of its fields; channels come first.

    Args:
        image: A picture of mode L or RGB.
        config: What to do.

    Returns:
        The picture.

    Raises:
        ValueError: If it is too small for the window, or halving does not lead to the size.
    """
    if config.channels is not None:
        image = image.convert("L" if config.channels == 1 else "RGB")
    if config.crop:
        image = _centre_of_aspect(image, *(config.target or (1, 1)))
    size = config.target
    if config.shorter_side is not None:
        scale = config.shorter_side / min(image.size)
        size = (round(image.height * scale), round(image.width * scale))
    if size is not None and size != (image.height, image.width):
        image = _resize(image, size, config.resample)
    if config.pad:
        image = ImageOps.expand(image, config.pad)
    return image if config.cut is None else _centre(image, *config.cut)


def _resize(image: Image.Image, size: tuple[int, int], resample: str) -> Image.Image:
    """Resize to (height, width); a picture of another aspect is stretched.

    Averages of boxes round after each direction, so within one level of the mean.
    """
    height, width = size
    whole = image.height % height == 0 and image.width % width == 0
    if resample == "halve":
        return _halve(image, size)
    box = resample == "area" or (resample == "auto" and whole)
    return image.resize((width, height), Image.Resampling.BOX if box else Image.Resampling.LANCZOS)


def _halve(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    """Take averages of 2 x 2 pixels, rounded down, until the picture has a size."""
    given = (image.height, image.width)
    pixels = np.asarray(image)
    while pixels.shape[:2] != size:
        height, width = pixels.shape[:2]
        if height % 2 or width % 2 or height <= size[0] or width <= size[1]:
            raise ValueError(
                f"resample: expected a size that halving {given[0]} x {given[1]} leads to, "
                f"given {size[0]} x {size[1]}"
            )
        blocks = pixels.reshape(height // 2, 2, width // 2, 2, *pixels.shape[2:])
        pixels = (blocks.sum((1, 3), dtype=np.uint16) // 4).astype(np.uint8)
    return Image.fromarray(pixels)


def _centre_of_aspect(image: Image.Image, height: int, width: int) -> Image.Image:
    """Cut out the largest centred rectangle of the aspect height : width."""
    new_width = min(image.width, max(1, round(image.height * width / height)))
    new_height = min(image.height, max(1, round(image.width * height / width)))
    return _centre(image, new_height, new_width)


def _centre(image: Image.Image, height: int, width: int) -> Image.Image:
    """Cut out the centre."""
    if image.height < height or image.width < width:
        raise ValueError(
            f"window: expected pictures of at least {height} x {width} (height x width), "
            f"given {image.height} x {image.width}"
        )
    left, top = (image.width - width) // 2, (image.height - height) // 2
    return image.crop((left, top, left + width, top + height))
