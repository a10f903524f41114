"""Scikit-learn's handwritten digits."""

from __future__ import annotations

import numpy as np
from PIL import Image

from lambent.data.source import Numbered
from lambent.errors import MissingExtraError


class Digits(Numbered):
    """Scikit-learn's handwritten digits: 1,797 images of 1 x 8 x 8 with 17 grey levels.

    Level v of 0 to 16 becomes the pixel ``ceil(256 v / 17)``, which reads back as level v.

    Raises:
        MissingExtraError: If scikit-learn is not installed.
    """

    def __init__(self) -> None:
        try:
            from sklearn.datasets import load_digits
        except ImportError as error:
            raise MissingExtraError("scikit-learn", "data") from error
        digits = load_digits()
        levels = digits.images.astype(np.int64)
        self._pixels = (-(-256 * levels // 17)).astype(np.uint8)
        labels = {"train": digits.target.astype(np.int64)}
        names = tuple(str(name) for name in digits.target_names)
        super().__init__("digits", {"train": len(levels)}, labels, names, grey_levels=17)

    def picture(self, split: str, number: int) -> Image.Image:
        """The picture of a row, in scikit-learn's order."""
        return Image.fromarray(self._pixels[number])
