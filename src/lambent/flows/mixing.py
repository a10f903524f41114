"""What stands between the layers of a flow over vectors."""

from __future__ import annotations

from typing import Literal

from lambent.core.transform import Transform
from lambent.transforms import ActNorm, BatchNorm, Permute, PLUConv1x1

Mixing = Literal["reverse", "shuffle", "linear"]

Norm = Literal["actnorm", "batch", "none"]


def mixing(kind: Mixing, features: int) -> Transform:
    """The features in another order, or mixed.

    Args:
        kind: ``reverse``: from last to first; ``shuffle``: in an order drawn once; ``linear``: a
            learned matrix, kept as a permutation and two triangles.
        features: How many.

    Returns:
        The layer.
    """
    if kind == "reverse":
        return Permute.reverse(features)
    return Permute.shuffle(features) if kind == "shuffle" else PLUConv1x1(features)


def norm(kind: Norm, features: int) -> list[Transform]:
    """What gives the features about unit scale, if anything does.

    Args:
        kind: ``actnorm``, ``batch``, or ``none``.
        features: How many.

    Returns:
        One layer, or none.
    """
    if kind == "none":
        return []
    return [BatchNorm(features) if kind == "batch" else ActNorm(features, log_scale_factor=1.0)]
