"""Pictures on disk, and grids of images."""

from __future__ import annotations

import math
from pathlib import Path

import torch
from jaxtyping import UInt8
from PIL import Image
from torch import Tensor

from lambent.data.decode import decode, pixels
from lambent.files import replacing

_SHORTEST_SIDE = 256
"""Pixels that the shorter side of a written picture has at least, so that it can be looked at."""


def grid(
    images: Tensor, columns: int | None = None, padding: int = 1
) -> UInt8[Tensor, "c height width"]:
    """Lay images out in rows, with black lines around and between them.

    Args:
        images: The images, uint8 (n, c, h, w), left to right and then down.
        columns: Images a row; by default the fewest that make the grid no taller than wide.
        padding: Width of the lines in pixels.

    Returns:
        One image, uint8 (c, height, width), with cells left over black.

    Raises:
        ValueError: If an argument has another shape, type or range.
    """
    if images.dtype != torch.uint8 or images.ndim != 4 or len(images) == 0:
        raise ValueError(
            "images: expected a non-empty uint8 tensor of shape (n, c, h, w), "
            f"given {images.dtype} {tuple(images.shape)}"
        )
    if columns is not None and columns < 1:
        raise ValueError(f"columns: expected a number from 1, given {columns}")
    if padding < 0:
        raise ValueError(f"padding: expected a number from 0, given {padding}")
    n, c, h, w = images.shape
    columns = min(n, columns or math.ceil(math.sqrt(n)))
    rows = math.ceil(n / columns)
    canvas = images.new_zeros(c, rows * (h + padding) + padding, columns * (w + padding) + padding)
    for index, image in enumerate(images):
        top = padding + index // columns * (h + padding)
        left = padding + index % columns * (w + padding)
        canvas[:, top : top + h, left : left + w] = image
    return canvas


def to_picture(image: Tensor) -> Image.Image:
    """Turn an image into a Pillow picture, of mode L or RGB.

    Args:
        image: Pixels, uint8 (1, h, w) or (3, h, w).

    Returns:
        The picture.

    Raises:
        ValueError: If the image has another shape or type.
    """
    if image.dtype != torch.uint8 or image.ndim != 3 or image.shape[0] not in (1, 3):
        raise ValueError(
            "image: expected a uint8 tensor of shape (1, h, w) or (3, h, w), "
            f"given {image.dtype} {tuple(image.shape)}"
        )
    array = image.detach().cpu().numpy()
    return Image.fromarray(array[0] if len(array) == 1 else array.transpose(1, 2, 0).copy())


def write_picture(path: str | Path, image: Tensor, scale: int | None = None) -> None:
    """Write an image to a file, whole or not at all.

    Args:
        path: The file; its suffix says the format. Missing folders are made.
        image: Pixels, uint8 (1, h, w) or (3, h, w).
        scale: Enlarge every pixel to a square of this side; by default the least with which the
            shorter side has 256 pixels or more.

    Raises:
        ValueError: If the image, the scale or the suffix cannot be written.
        OSError: If the file cannot be written.
    """
    path = Path(path)
    picture = to_picture(image)
    form = Image.registered_extensions().get(path.suffix.lower())
    if form not in Image.SAVE:
        raise ValueError(f"path: expected a picture's suffix such as .png, given {str(path)!r}")
    scale = math.ceil(_SHORTEST_SIDE / min(picture.size)) if scale is None else scale
    if scale < 1:
        raise ValueError(f"scale: expected a number from 1, given {scale}")
    size = (picture.width * scale, picture.height * scale)
    with replacing(path) as temporary:
        picture.resize(size, Image.Resampling.NEAREST).save(temporary, format=form)


def read_picture(path: str | Path, shape: tuple[int, int, int]) -> UInt8[Tensor, "c h w"]:
    """Read a picture of a known size.

    Args:
        path: The file.
        shape: The (channels, height, width) it should have. Grey is converted to colour and
            colour to grey (ITU-R 601 luma) as the channels say, 1 or 3; the size is not changed.

    Returns:
        The pixels, uint8, of that shape.

    Raises:
        ValueError: If the picture cannot be read, has another size, or ``shape`` has channels
            other than 1 or 3.
    """
    channels, height, width = shape
    if channels not in (1, 3):
        raise ValueError(f"shape: expected 1 or 3 channels, given {channels}")
    picture = decode(Path(path), str(path))
    if (picture.height, picture.width) != (height, width):
        raise ValueError(
            f"path: expected a picture of {height} x {width} pixels (height x width), "
            f"given {picture.height} x {picture.width} in {str(path)!r}"
        )
    picture = picture.convert("L" if channels == 1 else "RGB")
    return torch.from_numpy(pixels(picture).copy())
