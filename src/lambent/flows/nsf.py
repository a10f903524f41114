"""Neural spline flows of vectors, the autoregressive form."""

from __future__ import annotations

import math
from dataclasses import dataclass

from lambent.core.flow import Flow
from lambent.core.registry import register
from lambent.flows.autoregressive import AutoregressiveConfig, stacked
from lambent.flows.pixels import check_at_least
from lambent.flows.vectors import vector_flow
from lambent.transforms import RationalQuadratic


@dataclass(frozen=True, kw_only=True)
class NSFConfig(AutoregressiveConfig):
    """What :func:`lambent.nsf` builds; the features change places between layers."""

    transforms: int = 5
    """Autoregressive layers."""
    bins: int = 8
    """Bins of each spline."""
    spline_bound: float = 3.0
    """The splines bend from minus this to this, and are the identity beyond."""


@register(NSFConfig)
def nsf(config: NSFConfig) -> Flow:
    """Build an autoregressive neural spline flow: densities cost a pass a layer.

    Args:
        config: Sizes and forms.

    Returns:
        A flow over ``(features,)``.

    Raises:
        ValueError: If a field is missing or out of range.

    References:
        C. Durkan et al., "Neural Spline Flows", 2019, arXiv:1906.04032, the form RQ-NSF (AR).

    Example:
        >>> nsf(NSFConfig(shape=(3,), width=8)).sample(2).shape
        torch.Size([2, 3])
    """
    check_at_least(config, 1, "transforms")
    if not 2 <= config.bins <= 999:  # the narrowest bin has a thousandth of the width
        raise ValueError(f"bins: expected 2 to 999, got {config.bins}")
    if not 0 < config.spline_bound < math.inf:
        raise ValueError(f"spline_bound: expected a number above 0, got {config.spline_bound}")
    spline = RationalQuadratic(bins=config.bins, bound=config.spline_bound)
    return vector_flow(config, stacked(config, config.transforms, spline))
