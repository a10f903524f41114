"""Which images of a set to load, and at what size."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from lambent.data.levels import check_grey_levels
from lambent.errors import check_choices


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

    shorter_side: int | None = None
    """In place of ``size``: resize so that the shorter side has so many pixels, at its aspect."""

    resample: Literal["auto", "area", "lanczos", "halve"] = "auto"
    """How to resize: averages of boxes (area), Lanczos, averages of 2 x 2 rounded down as often as
    it takes (halve, for CelebA-HQ), or auto: area by whole factors, else Lanczos."""

    pad: int = 0
    """Black pixels to add on every side after the resize."""

    window: int | tuple[int, int] | None = None
    """Last, cut a window of this height x width out of the centre; with ``random_crop`` of the
    training settings anywhere, each time a training image is read."""

    channels: Literal[1, 3] | None = None
    """1 makes colour grey (ITU-R 601 luma), 3 repeats grey three times; None keeps what is there,
    where all pictures are alike."""

    grey_levels: int | None = None
    """Fewer grey levels: pixel x becomes the smallest of its level floor(x n / 256)."""

    on_error: Literal["refuse", "skip"] = "refuse"
    """What to do with pictures that cannot be read or differ from the first in size or kind: refuse
    the set, with their number and the first by name, or leave them out with a warning."""

    in_memory: bool | None = None
    """Decode all images at once, or each when it is looked up; None: at once below 2 GiB."""

    check: bool = True
    """Look at every picture of a set on disk when it is opened; without it a faulty one ends the
    command that comes upon it."""

    split: str = "train"
    """Which rows: train, validation, all, or any split the set has itself, such as test."""

    validation: float = 0.1
    """The share of the train rows held out as validation, unless the set has that split itself."""

    validation_split: str | None = None
    """A split of the set's own to validate on, such as test, in place of a share of train."""

    columns: str | None = None
    """Of a table: which columns, such as a,b,c, in that order; all if not given."""

    drop: str | None = None
    """Of a table: which columns to leave out, such as id,name."""

    kinds: str | None = None
    """Of a table: what columns are that are not what their type says, such as price=positive or
    depth=step:0.1,share=interval:0:1; also real, count, integer and category."""

    context: str | None = None
    """Of a table: which columns are not modelled, but what rows are given, such as a,b."""

    seed: int = 0
    """Chooses which train rows are held out."""

    def __post_init__(self) -> None:
        """Check the ranges."""
        check_choices(self)
        for name in ("size", "window"):
            sides = _sides(getattr(self, name))
            if sides is not None and (len(sides) != 2 or min(sides) < 1):
                raise ValueError(
                    f"{name}: expected a positive number of pixels, or a (height, width) of them, "
                    f"given {getattr(self, name)}"
                )
        if self.shorter_side is not None and (self.shorter_side < 1 or self.size is not None):
            raise ValueError(
                "shorter_side: expected a positive number of pixels and no size, "
                f"given {self.shorter_side} and size {self.size}"
            )
        if self.channels not in (None, 1, 3):
            raise ValueError(f"channels: expected 1 or 3, given {self.channels}")
        if self.on_error == "skip" and not self.check:
            raise ValueError("check: expected true with on_error skip, given false")
        if self.pad < 0:
            raise ValueError(f"pad: expected a number from 0, given {self.pad}")
        if self.grey_levels is not None:
            check_grey_levels(self.grey_levels)
        if not self.split:
            raise ValueError("split: expected the name of a split, given ''")
        if not 0.0 <= self.validation < 1.0:
            raise ValueError(
                f"validation: expected a fraction from 0 to below 1, given {self.validation}"
            )
        for name in ("columns", "drop", "context"):
            if "" in self.names(name):
                raise ValueError(
                    f"{name}: expected names of columns with commas between them, "
                    f"given '{getattr(self, name)}'"
                )
        self.kinds_said  # noqa: B018  (raises)
        if self.seed < 0:
            raise ValueError(f"seed: expected a number from 0, given {self.seed}")

    def names(self, field: str) -> list[str]:
        """The columns that ``columns``, ``drop`` or ``context`` lists."""
        said = getattr(self, field)
        return [] if said is None else [name.strip() for name in said.split(",")]

    @property
    def of_table(self) -> dict[str, str]:
        """The settings that only a table has, where they are set."""
        said = {name: getattr(self, name) for name in ("columns", "drop", "kinds", "context")}
        return {name: value for name, value in said.items() if value is not None}

    @property
    def kinds_said(self) -> dict[str, str]:
        """What ``kinds`` says of each column it names."""
        found = {}
        for pair in [] if self.kinds is None else self.kinds.split(","):
            name, equals, kind = pair.partition("=")
            if not (name and equals and kind):
                raise ValueError(f"kinds: expected name=kind,name=kind, given '{self.kinds}'")
            found[name.strip()] = kind.strip()
        return found

    @property
    def target(self) -> tuple[int, int] | None:
        """The (height, width) to resize to in pixels, or None to keep each image's own."""
        return _sides(self.size)

    @property
    def cut(self) -> tuple[int, int] | None:
        """The (height, width) of the window, or None for the whole image."""
        return _sides(self.window)


def _sides(size: int | tuple[int, int] | None) -> tuple[int, int] | None:
    return (size, size) if isinstance(size, int) else size
