"""NICE: additive couplings and a diagonal scaling."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from typing import Literal

from lambent.core.compose import Compose
from lambent.core.flow import Flow
from lambent.core.registry import register
from lambent.distributions import StandardLogistic, StandardNormal
from lambent.errors import check_choices
from lambent.flows.context import conditional, context_size
from lambent.flows.couplings import of_vectors
from lambent.flows.pixels import check_at_least, check_events, first_step, from_pixels
from lambent.flows.tables import TableConfig, of_tables
from lambent.nn import MLP
from lambent.transforms import Additive, Flatten, Scale


@dataclass(frozen=True, kw_only=True)
class NICEConfig(TableConfig):
    """What :func:`lambent.nice` builds. The defaults are small: minutes on a laptop."""

    shape: tuple[int, ...] | None = None
    """Shape of an event: (features,) or (channels, height, width); the command line takes the
    data's own."""
    grey_levels: int | None = None
    """Grey levels of images of integers, 2 to 256; the command line takes the data's own. Without
    them events are real numbers."""
    couplings: int = 4
    """Additive couplings; every number can reach every other through three or more."""
    layers: int = 3
    """Hidden layers of each coupling's network."""
    width: int = 256
    """Units of each hidden layer."""
    prior: Literal["logistic", "normal"] = "logistic"
    """The base density."""
    whiten: bool = False
    """Of vectors: whether a triangular map set from the first batch, which takes it to mean 0 and
    covariance 1, comes first."""


@register(NICEConfig)
@of_tables
def nice(config: NICEConfig) -> Flow:
    """Build a NICE over vectors of real numbers, or over images.

    Couplings change the numbers at odd places of the row and at even places in turn; an image is
    laid out in one row, channel by channel.

    Args:
        config: Sizes and forms.

    Returns:
        A flow over ``config.shape``, with a flat latent.

    Raises:
        ValueError: If a field is missing or out of range.

    References:
        L. Dinh et al., "NICE: Non-linear Independent Components Estimation", 2015,
        arXiv:1410.8516.

    Example:
        >>> flow = nice(NICEConfig(shape=(1, 4, 4), grey_levels=17, layers=1, width=8))
        >>> flow.sample(2).shape
        torch.Size([2, 1, 4, 4])
    """
    check_choices(config)
    shape = check_events(config.shape, config.grey_levels)
    check_at_least(config, 1, "couplings", "layers", "width")
    size = math.prod(shape)
    pixels = {} if config.grey_levels is None else from_pixels(config.grey_levels)
    net = partial(
        MLP, width=config.width, layers=config.layers, context_features=context_size(config)
    )
    steps = {f"coupling{i}": of_vectors(i, size, net, Additive()) for i in range(config.couplings)}
    flat = {} if len(shape) == 1 else {"flatten": Flatten(shape)}
    first = first_step(shape, whiten=config.whiten)
    transform = Compose(**pixels, **flat, **first, **steps, scale=Scale((size,)))  # type: ignore[arg-type]
    base = StandardLogistic((size,)) if config.prior == "logistic" else StandardNormal((size,))
    return conditional(config, transform, base)
