"""The layout of ``y0ast/Glow-PyTorch``; its pixels are ours."""

from __future__ import annotations

from lambent.hub.flownet import read as read_flownet
from lambent.hub.flownet_layers import Names
from lambent.hub.parts import Asked, Imported
from lambent.hub.weights import Weights

MARK = r"flow\.layers\.(\d+)\.block\."
"""What a key of this layout begins with."""

_NAMES = Names(
    net="block", inner=".conv", linear=".linear", lower="lower", upper="upper", top="learn_top_fn"
)


def read(weights: Weights, asked: Asked) -> Imported:
    """Read this layout.

    Args:
        weights: The foreign state dict.
        asked: ``grey_levels`` is 256 if not given.

    Returns:
        Form and weights of our flow.

    Raises:
        ValueError: If something is missing, or of a shape that does not fit.
    """
    return read_flownet(
        weights, asked, _NAMES, 256 if asked.grey_levels is None else asked.grey_levels
    )
