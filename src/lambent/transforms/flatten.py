"""Events as vectors."""

from __future__ import annotations

import math

from lambent.core.transform import Transform, zero_log_det
from lambent.types import Context, PerSample, Size, X, Z


class Flatten(Transform):
    """The numbers of an event in one row, the last axis fastest; ``V = 0``.

    Args:
        shape: Shape of one event.

    Shape:
        ``(b, *shape)`` to ``(b, d)``.

    Example:
        >>> Flatten((3, 4, 4)).forward_shape((3, 4, 4))
        (48,)
    """

    cheap_inverse = True

    def __init__(self, shape: Size) -> None:
        super().__init__()
        self.shape = tuple(shape)

    def forward(self, x: X, context: Context | None = None) -> tuple[Z, PerSample]:
        """Lay out in a row."""
        return x.reshape(-1, math.prod(self.shape)), zero_log_det(x)

    def inverse(self, z: Z, context: Context | None = None) -> tuple[X, PerSample]:
        """Give the shape back."""
        return z.reshape(-1, *self.shape), zero_log_det(z)

    def forward_shape(self, shape: Size) -> Size:
        """One axis of the event's size."""
        return (math.prod(self.shape),)

    def inverse_shape(self, shape: Size) -> Size:
        """The event shape given at construction."""
        return self.shape

    def extra_repr(self) -> str:
        """What ``repr`` shows."""
        return f"{self.shape}"
