"""What a flow is conditioned on: labels, vectors, images, or a tuple of them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from torch import nn

from lambent.core.compose import Compose
from lambent.core.distribution import Distribution
from lambent.core.flow import Flow
from lambent.core.transform import Transform
from lambent.data.columns import ColumnFacts
from lambent.flows.straighten import ColumnEncoder
from lambent.nn import MLP, ImageEncoder, LabelEncoder, Together, VectorEncoder
from lambent.transforms import Coupling, Standardise, Whole


@dataclass(frozen=True, kw_only=True)
class ContextConfig:
    """What a flow is conditioned on: a class label, a vector, an image, or a tuple of them.

    Those that are set make up the context, in this order; one alone stands without a tuple.
    """

    conditioning: Literal["none", "label"] = "none"
    """Whether the flow is conditional on the class label."""
    classes: int | None = None
    """Number of classes, where it is; the command line takes the data's own."""
    context_features: int | None = None
    """Size of the context vectors, where the flow is conditional on vectors."""
    context_columns: tuple[ColumnFacts, ...] | None = None
    """What is known of each column of a table that rows are given, where context vectors are such;
    the command line takes the data's own."""
    context_shape: tuple[int, int, int] | None = None
    """Channels, height and width of the context images, where it is conditional on images."""


def context_encoder(config: ContextConfig) -> nn.Module | None:
    """What makes one vector of the context; it says the vector's size in ``features``.

    Args:
        config: A family's config.

    Returns:
        The encoder; none where the flow is not conditional.

    Raises:
        ValueError: If a field is missing or out of range.
    """
    parts: list[nn.Module] = []
    if config.conditioning == "label":
        if config.classes is None or config.classes < 1:
            raise ValueError(
                f"classes: expected at least 1 for a flow conditional on labels, "
                f"got {config.classes}"
            )
        parts.append(LabelEncoder(config.classes))
    if config.context_features is not None:
        if config.context_features < 1:
            raise ValueError(
                f"context_features: expected at least 1, got {config.context_features}"
            )
        if config.context_columns is None:
            parts.append(VectorEncoder(config.context_features))
        else:
            parts.append(ColumnEncoder(config.context_columns))
    if config.context_shape is not None:
        if min(config.context_shape) < 1:
            raise ValueError(
                f"context_shape: expected (channels, height, width), all positive, "
                f"got {config.context_shape}"
            )
        parts.append(ImageEncoder(config.context_shape))
    if len(parts) < 2:
        return parts[0] if parts else None
    return Together(*parts)


def context_size(config: ContextConfig) -> int | None:
    """Size of the vector that networks read of the context; none where there is no context.

    Args:
        config: A family's config.

    Returns:
        What a network takes as ``context_features``.

    Raises:
        ValueError: As :func:`context_encoder`.
    """
    encoder = context_encoder(config)
    return None if encoder is None else int(encoder.features)  # type: ignore[arg-type]


def conditional(
    config: ContextConfig, transform: Transform, base: Distribution, *, prior: bool = True
) -> Flow:
    """A flow that reads the config's context, through one encoder, which runs once a call.

    Where there is a context, a last step ``prior`` shifts and scales the latent by what a network
    reads of it, which makes the base conditional too. It starts as the identity.

    Args:
        config: A family's config.
        transform: From data to a flat latent.
        base: The density of the latent.
        prior: Whether there is that last step; a base with ends has no room for it.

    Returns:
        The flow.
    """
    encoder = context_encoder(config)
    if encoder is not None and prior:
        size = math.prod(base.event_shape)
        net = MLP(0, 2 * size, width=64, layers=1, context_features=context_size(config))
        last = Coupling(net, Standardise(7.0), Whole())
        transform = Compose(flow=transform, prior=last)
    return Flow(transform, base, context_encoder=encoder)
