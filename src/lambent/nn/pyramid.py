"""A context image, and a label with it, as one map of features for each scale of a flow."""

from __future__ import annotations

from collections.abc import Sequence

import torch.nn.functional as F
from torch import Tensor, nn

from lambent.nn.embedding import LabelEncoder
from lambent.nn.residual_net import ResidualBlock
from lambent.types import Context


class Pyramid(nn.Module):
    r"""A context image as feature planes at the resolution of every level of a flow.

    A convolution, residual blocks at the coarser of the image's and the first level's resolution,
    then one convolution for each level. Resolutions are changed by moving pixels between places
    and channels, so no pixel is lost on the way in. A label adds a learned vector at every place.

    8-bit images are read as ``x / 255 - 1/2``, others as they are.

    Args:
        image: ``(c, h, w)`` of the context image.
        sizes: ``(h_i, w_i)`` of every level; each is a multiple of the image's, or divides it.
        features: Planes for each level.
        blocks: Residual blocks.
        classes: How many classes there are, where a label comes with the image.

    Shape:
        ``(b, c, h, w)``, or ``(b,)`` labels and ``(b, c, h, w)``, to a tuple of
        ``(b, features, h_i, w_i)``.

    Raises:
        ValueError: If the sizes do not fit, or the context is not what is expected.

    References:
        A. Lugmayr et al., "SRFlow", 2020, arXiv:2006.14200, section 3.2.

    Example:
        >>> import torch
        >>> planes = Pyramid((3, 4, 4), [(8, 8), (4, 4)], features=5)(torch.rand(2, 3, 4, 4))
        >>> [tuple(p.shape) for p in planes]
        [(2, 5, 8, 8), (2, 5, 4, 4)]
    """

    def __init__(
        self,
        image: tuple[int, int, int],
        sizes: Sequence[tuple[int, int]],
        *,
        features: int = 32,
        blocks: int = 2,
        classes: int | None = None,
    ) -> None:
        super().__init__()
        self.image = tuple(image)
        self.classes = classes
        trunk = min((image[1], image[2]), sizes[0])
        self.stem = _resized(image[0], features, (image[1], image[2]), trunk)
        self.of_label = None if classes is None else LabelEncoder(classes, features)
        self.blocks = nn.Sequential(*(ResidualBlock(features) for _ in range(blocks)))
        self.heads = nn.ModuleList(_resized(features, features, trunk, size) for size in sizes)

    def forward(self, context: Context) -> tuple[Tensor, ...]:
        """The planes of every level, finest first."""
        labels, image = self._parts(context)
        weight = next(self.heads.parameters())
        if not image.is_floating_point():
            image = image.to(weight.dtype) / 255 - 0.5
        h = self.stem(image.to(weight.dtype))
        if self.of_label is not None:
            h = h + self.of_label(labels)[:, :, None, None]
        h = F.relu(self.blocks(h))
        return tuple(head(h) for head in self.heads)

    def _parts(self, context: Context) -> tuple[Tensor | None, Tensor]:
        """The labels, if there are to be any, and the images."""
        parts = context if isinstance(context, tuple) else (context,)
        expected = 1 if self.classes is None else 2
        image = parts[-1]
        if len(parts) != expected or image.ndim != 4 or tuple(image.shape[1:]) != self.image:
            what = "images" if expected == 1 else "labels (b,) and images"
            given = ", ".join(str(tuple(part.shape)) for part in parts)
            raise ValueError(f"context: expected {what} (b, *{self.image}), got {given}")
        return (parts[0] if expected == 2 else None), image


def _resized(
    channels: int, features: int, before: tuple[int, int], after: tuple[int, int]
) -> nn.Sequential:
    """A 3x3 convolution that also changes the resolution by a whole factor."""
    (h, w), (to_h, to_w) = before, after
    if to_h % h == 0 and to_w % w == 0 and to_h // h == to_w // w:
        k = to_h // h
        conv = nn.Conv2d(channels, features * k * k, 3, padding=1)
        return nn.Sequential(conv, nn.PixelShuffle(k))
    if h % to_h == 0 and w % to_w == 0 and h // to_h == w // to_w:
        k = h // to_h
        conv = nn.Conv2d(channels * k * k, features, 3, padding=1)
        return nn.Sequential(nn.PixelUnshuffle(k), conv)
    raise ValueError(
        "context_shape: expected a height and width that divide those of every level or are "
        f"multiples of them, got {h} x {w} for a level of {to_h} x {to_w}"
    )
