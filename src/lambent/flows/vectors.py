"""What families of flows over vectors share: the shape of an event, a base density, a context."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Literal

from lambent.core.compose import Compose
from lambent.core.distribution import Distribution
from lambent.core.flow import Flow
from lambent.core.transform import Transform
from lambent.distributions import GaussianMixture, StandardLogistic, StandardNormal, StudentT
from lambent.errors import check_choices
from lambent.flows.context import conditional
from lambent.flows.pixels import check_at_least
from lambent.flows.tables import TableConfig
from lambent.transforms import Whiten
from lambent.types import Size


@dataclass(frozen=True, kw_only=True)
class VectorConfig(TableConfig):
    """The fields that all families of vectors have."""

    shape: tuple[int, ...] | None = None
    """Shape of an event, (features,); the command line takes the data's own."""
    base: Literal["normal", "logistic", "student", "mixture"] = "normal"
    """The base density: independent normals, logistics or Student-t's of learned degrees of
    freedom, or a learned mixture of normals."""
    components: int = 8
    """Of a base that is a mixture: normals in it."""
    whiten: bool = False
    """Whether a triangular map set from the first batch, which takes it to mean 0 and covariance 1,
    comes first, so that training starts at the normal of full covariance."""


def features(config: VectorConfig) -> int:
    """Features of an event, once words and shape are found to be right.

    Args:
        config: A family's config.

    Returns:
        The features.

    Raises:
        ValueError: If the shape is missing or not of one axis, or a word is unknown.
    """
    check_choices(config)
    if config.shape is None or len(config.shape) != 1 or config.shape[0] < 1:
        raise ValueError(f"shape: expected (features,), got {config.shape}")
    return config.shape[0]


def base_of(config: VectorConfig) -> Distribution:
    """The base density that a config names.

    Args:
        config: A family's config.

    Returns:
        The density.

    Raises:
        ValueError: If a field is missing or out of range.
    """
    shape = (features(config),)
    check_at_least(config, 1, "components")
    kinds: dict[str, Callable[[Size], Distribution]] = {
        "normal": StandardNormal,
        "logistic": StandardLogistic,
        "student": StudentT,
        "mixture": partial(GaussianMixture, components=config.components),
    }
    return kinds[config.base](shape)


def whitened(config: VectorConfig, transform: Transform) -> Transform:
    """The transform behind the step that whitens, where the config asks for it.

    Args:
        config: A family's config.
        transform: From data to latent.

    Returns:
        Both, or the transform alone.
    """
    if not config.whiten:
        return transform
    return Compose(whiten=Whiten(features(config)), flow=transform)


def vector_flow(config: VectorConfig, transform: Transform) -> Flow:
    """A flow over vectors with the config's base density and context.

    Args:
        config: A family's config.
        transform: From data to latent; its networks take ``context_size(config)``.

    Returns:
        The flow.
    """
    return conditional(config, whitened(config, transform), base_of(config))
