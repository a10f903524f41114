"""The columns of a table of arrays."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Rows = dict[str, npt.NDArray[np.generic]]
"""Some rows of a table: ``(b, *shape)`` of each column."""


class Column(NamedTuple):
    """What a row of a column is."""

    dtype: str
    """Numpy's name of the type."""
    shape: tuple[int, ...] = ()
    """The shape of one row."""
    classes: int | None = None
    """Of labels: how many classes there are, where that is known."""

    @property
    def is_pictures(self) -> bool:
        """Whether a row is an 8-bit image, ``(c, h, w)``."""
        return self.dtype == "uint8" and len(self.shape) == 3

    def check(self, name: str, values: npt.NDArray[np.generic]) -> None:
        """Raise unless rows are of this type and shape.

        Args:
            name: What the column is called.
            values: ``(b, *shape)``.

        Raises:
            ValueError: If they are not.
        """
        if values.dtype != self.dtype or values.shape[1:] != self.shape:
            raise ValueError(
                f"{name}: expected rows of {self.dtype} {self.shape}, "
                f"got {values.dtype} {values.shape[1:]}"
            )
