"""The configuration of neural spline flows."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from lambent.flows.autoregressive import StackConfig
from lambent.flows.mixing import Mixing
from lambent.flows.pixels import check_at_least
from lambent.flows.vectors import features


@dataclass(frozen=True, kw_only=True)
class NSFConfig(StackConfig):
    """What :func:`lambent.nsf` builds."""

    form: Literal["autoregressive", "coupling"] = "autoregressive"
    """Whether the numbers before it choose the spline of a number, or the features at every other
    place those of the rest."""
    bins: int = 8
    """Bins of each spline."""
    spline_bound: float = 3.0
    """The splines bend from minus this to this, and are the identity beyond."""
    domain: Literal["line", "interval", "circle"] = "line"
    """Where numbers lie: anywhere, from minus ``spline_bound`` to it, or on the circle that closes
    there. The base of the last two is uniform, and nothing scales or mixes between layers."""
    mixing: Mixing = "reverse"
    """What precedes each layer but the first: the features reversed, a fixed random permutation, or
    a learned linear map. The parts of couplings change roles besides; "reverse" adds nothing."""
    network: Literal["plain", "residual"] = "plain"
    """The networks of couplings: hidden layers, or as many residual blocks of two layers."""
    dropout: float = 0.0
    """Part of the units left out of a residual block while training."""
    kept_splines: bool = False
    """Whether the part of a coupling that conditions is bent too, by splines nothing conditions."""

    @property
    def keeps_units(self) -> bool:
        """Whether the domain has ends."""
        return self.domain != "line"


def checked(config: NSFConfig) -> int:
    """The features of an event, once every field is found to be right.

    Args:
        config: What to check.

    Returns:
        The features.

    Raises:
        ValueError: If a field is missing or out of range.
    """
    size = features(config)
    check_at_least(config, 1, "transforms", "layers", "width")
    if not 2 <= config.bins <= 999:  # the narrowest bin has a thousandth of the width
        raise ValueError(f"bins: expected 2 to 999, got {config.bins}")
    if not 0 < config.spline_bound < math.inf:
        raise ValueError(f"spline_bound: expected a number above 0, got {config.spline_bound}")
    if config.domain != "line":
        _check_ends(config)
    if not 0 <= config.dropout < 1:
        raise ValueError(f"dropout: expected 0 to 1, and less than 1, got {config.dropout}")
    if config.network == "plain" and config.dropout > 0:
        raise ValueError(f"dropout: expected 0 without residual networks, got {config.dropout}")
    if config.form == "coupling":
        if size < 2:
            raise ValueError(f"shape: expected 2 features or more of couplings, got {size}")
        if config.degrees != "even":
            raise ValueError(f"degrees: expected even of couplings, got {config.degrees}")
        if config.inverse != "cached":
            raise ValueError(f"inverse: expected cached of couplings, got {config.inverse}")
    elif config.network == "residual":
        raise ValueError("network: expected plain in the autoregressive form, got residual")
    elif config.kept_splines:
        raise ValueError("kept_splines: expected false in the autoregressive form, got true")
    return size


def _check_ends(config: NSFConfig) -> None:
    """Raise unless all fields leave numbers within their ends."""
    if config.base != "normal" or config.whiten:
        raise ValueError(
            f"base, whiten: expected neither with the domain {config.domain}, whose base is "
            f"uniform, got {config.base}, {config.whiten}"
        )
    if config.mixing == "linear":
        raise ValueError(
            f"mixing: expected reverse or shuffle with the domain {config.domain}, got linear"
        )
    if config.domain == "circle" and config.form != "coupling":
        raise ValueError(
            f"form: expected coupling with the domain circle, got {config.form}; its networks read "
            "cosines and sines"
        )
