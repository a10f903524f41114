"""Which images of a set to load, and at what size."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class DataConfig:
    """Says which rows of an image set to load, and how to crop and resize them.

    Raises:
        ValueError: If a setting is out of range.
    """

    size: int | tuple[int, int] | None = None
    """Resize to this height x width in pixels; one number means a square; None keeps the size."""

    crop: bool = False
    """Before any resize, cut the centre out at the aspect of ``size``: square for one or None."""

    split: str = "train"
    """Which rows: train, validation, all, or any split the set has itself, such as test."""

    validation: float = 0.1
    """The share of the train rows held out as validation, unless the set has that split itself."""

    seed: int = 0
    """Chooses which train rows are held out."""

    def __post_init__(self) -> None:
        """Check the ranges."""
        if self.target is not None and (len(self.target) != 2 or min(self.target) < 1):
            raise ValueError(
                "size: expected a positive number of pixels, or a (height, width) of them, "
                f"given {self.size}"
            )
        if not self.split:
            raise ValueError("split: expected the name of a split, given ''")
        if not 0.0 <= self.validation < 1.0:
            raise ValueError(
                f"validation: expected a fraction from 0 to below 1, given {self.validation}"
            )
        if self.seed < 0:
            raise ValueError(f"seed: expected a number from 0, given {self.seed}")

    @property
    def target(self) -> tuple[int, int] | None:
        """The (height, width) to resize to in pixels, or None to keep each image's own."""
        return (self.size, self.size) if isinstance(self.size, int) else self.size
