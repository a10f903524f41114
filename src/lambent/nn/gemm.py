"""3x3 convolutions as matrix products, for networks that are narrow outside and wide inside.

A picture is a matrix with a row for each place: ``(b, h w, c)``. The narrow side of a convolution
is cut into (or put together from) its nine taps, and the wide side is never laid out anew; see
``benchmarks/coupling_net.py`` for what that gains.
"""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor


def conv3x3_from_narrow(x: Tensor, weight: Tensor) -> Tensor:
    """A valid 3x3 convolution of a padded picture with few channels, by its 3x3 patches.

    Args:
        x: ``(b, c, h + 2, w + 2)``.
        weight: ``(width, c, 3, 3)``.

    Returns:
        ``(b, h w, width)``.
    """
    patches = F.unfold(x, 3).transpose(1, 2)
    return patches @ weight.flatten(1).t()


def conv3x3_to_narrow(h: Tensor, weight: Tensor, size: tuple[int, int]) -> Tensor:
    """A padded 3x3 convolution to few channels, as nine shifted products.

    Args:
        h: ``(b, h w, width)``.
        weight: ``(c, width, 3, 3)``.
        size: Height and width.

    Returns:
        ``(b, c, h, w)``.
    """
    taps = weight.flip((2, 3)).transpose(0, 1).flatten(1)
    return F.fold((h @ taps).transpose(1, 2), size, 3, padding=1)
