"""Where the places of a batch of pictures lie, and what is worked on at a time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import torch.nn.functional as F
from torch import Tensor


class Grid(NamedTuple):
    """The places of some pictures, row by row, and the border around each."""

    events: int
    """Pictures, ``b``."""
    height: int
    """Rows of a picture, ``h``."""
    width: int
    """Places in a row, ``w``."""
    border: Tensor
    """What each place of a picture sees of a border of ones through a 3x3 window, ``(9, h w)``."""

    @staticmethod
    def of(x: Tensor) -> Grid:
        """The grid of pictures ``(c, b, h, w)``, in their dtype."""
        b, h, w = x.shape[1:]
        frame = F.pad(x.new_zeros(1, 1, h, w), (1, 1, 1, 1), value=1.0)
        return Grid(b, h, w, F.unfold(frame, 3)[0])

    @property
    def size(self) -> tuple[int, int, int]:
        """``(b, h, w)``."""
        return self.events, self.height, self.width

    @property
    def places(self) -> int:
        """Places of one picture, ``h w``."""
        return self.height * self.width


class Piece(NamedTuple):
    """Some whole pictures, which are neighbours in memory."""

    first: int
    """The first of them."""
    grid: Grid
    """Their places."""

    @property
    def rows(self) -> slice:
        """Where their places lie."""
        start = self.first * self.grid.places
        return slice(start, start + self.grid.events * self.grid.places)


def pieces(grid: Grid, places: int) -> list[Piece]:
    """Cut pictures into pieces of about so many places, at least one picture each."""
    group = max(1, places // grid.places)
    return [
        Piece(first, grid._replace(events=min(group, grid.events - first)))
        for first in range(0, grid.events, group)
    ]


class Block(NamedTuple):
    """Some places of some events of a piece, which are neighbours in memory."""

    events: slice
    """Which events of the batch."""
    rows: slice
    """Which places of the piece."""

    @property
    def size(self) -> int:
        """How many rows."""
        return self.rows.stop - self.rows.start  # type: ignore[no-any-return]

    @property
    def is_first(self) -> bool:
        """Whether the batch starts with it."""
        return self.events.start == self.rows.start == 0  # type: ignore[no-any-return]

    def by_event(self, rows: Tensor) -> Tensor:
        """The block's rows, ``(events, places, width)``."""
        return rows.view(self.events.stop - self.events.start, -1, rows.shape[1])


def blocks(piece: Piece, rows: int) -> Iterator[Block]:
    """Cut a piece into blocks of about so many rows, whole events where they fit."""
    first, places = piece.first, piece.grid.places
    events = piece.grid.events
    if places > rows:
        for event in range(events):
            end = (event + 1) * places
            for start in range(event * places, end, rows):
                of = slice(first + event, first + event + 1)
                yield Block(of, slice(start, min(start + rows, end)))
        return
    group = rows // places
    for start in range(0, events, group):
        stop = min(start + group, events)
        yield Block(slice(first + start, first + stop), slice(start * places, stop * places))
