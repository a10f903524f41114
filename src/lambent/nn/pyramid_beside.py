"""Feature planes of an image, with what a context says added to them."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from lambent.nn.pyramid import Pyramid
from lambent.types import Context, Size


class PyramidAndContext(nn.Module):
    """A :class:`Pyramid` of the first of a tuple of contexts, to which the second is added.

    A vector is added at every place through a linear map, feature planes through a 1x1 convolution
    and, where they are of another resolution, the nearest of their places. Others are not read.

    Args:
        pyramid: What makes planes of the first.
        features: Planes it makes for each level.
        context: Shape of the second, ``(k,)`` or ``(k, h, w)``.

    Shape:
        ``(b, c, h, w)`` and ``(b, *context)`` to a tuple of ``(b, features, h_i, w_i)``.

    Raises:
        ValueError: If the context is no such tuple.
    """

    def __init__(self, pyramid: Pyramid, features: int, context: Size) -> None:
        super().__init__()
        self.pyramid = pyramid
        self.shape = tuple(context)
        self.of_context: nn.Module = (
            nn.Linear(context[0], features)
            if len(context) == 1
            else nn.Conv2d(context[0], features, 1)
        )

    def forward(self, context: Context) -> tuple[Tensor, ...]:
        """The planes of every level, finest first."""
        parts = context if isinstance(context, tuple) else (context,)
        if len(parts) < 2 or tuple(parts[1].shape[1:]) != self.shape:
            given = ", ".join(str(tuple(part.shape)) for part in parts)
            raise ValueError(
                f"context: expected images and (b, {', '.join(map(str, self.shape))}), got {given}"
            )
        added: Tensor = self.of_context(parts[1])
        added = added if added.ndim == 4 else added[:, :, None, None]
        return tuple(h + _at(added, (h.shape[2], h.shape[3])) for h in self.pyramid(parts[0]))


def _at(planes: Tensor, size: tuple[int, int]) -> Tensor:
    """Planes at another resolution; those of one place fit all."""
    if tuple(planes.shape[2:]) in ((1, 1), size):
        return planes
    return F.interpolate(planes, size)
