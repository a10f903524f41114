"""The layout of ``chaiyujin/glow-pytorch``.

Its pixels are ``x / 255``, to which it adds normal noise of deviation ``1 / 256``. Our first level
gets ``(x + u) / 256 - 1/2`` instead; mapped to ``(x + u - 1/2) / 255``, the middle of a bin is the
pixel it was trained on. That map is folded into the first actnorm, log-determinant and all.
"""

from __future__ import annotations

import dataclasses
import math

from lambent.hub.flownet import read as read_flownet
from lambent.hub.flownet_layers import Names
from lambent.hub.parts import LOG_SCALE_FACTOR, Asked, Imported, level
from lambent.hub.weights import Weights

MARK = r"flow\.layers\.(\d+)\.f\."
"""What a key of this layout begins with."""

_NAMES = Names(net="f", inner="", linear="", lower="l", upper="u", top="learn_top")


def read(weights: Weights, asked: Asked) -> Imported:
    """Read this layout.

    Args:
        weights: The foreign state dict.
        asked: ``grey_levels`` may only be 256.

    Returns:
        Form and weights of our flow.

    Raises:
        ValueError: If something is missing, or of a shape that does not fit.
    """
    if asked.grey_levels not in (None, 256):
        raise ValueError(f"grey_levels: this layout is of 256, got {asked.grey_levels}")
    found = read_flownet(weights, asked, _NAMES, 256)
    first = f"{level(0)}.step0.actnorm.affine"
    bias, raw_log_scale = found.state[f"{first}.bias"], found.state[f"{first}.raw_log_scale"]
    scale = 256 / 255
    folded = {
        f"{first}.bias": (bias.double() + 0.5) / scale,
        f"{first}.raw_log_scale": raw_log_scale + math.log(scale) / LOG_SCALE_FACTOR,
    }
    return dataclasses.replace(found, state={**found.state, **folded})
