"""Flows of one simple push a layer: planar, radial and Sylvester."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from torch import nn

from lambent.core.compose import Compose
from lambent.core.flow import Flow
from lambent.core.registry import register
from lambent.core.transform import Transform
from lambent.flows.context import context_size
from lambent.flows.mixing import Norm, norm
from lambent.flows.pixels import check_at_least
from lambent.flows.tables import of_tables
from lambent.flows.vectors import VectorConfig, features, vector_flow
from lambent.nn import ZeroLinear
from lambent.transforms import Planar, Radial, Sylvester

Layer = Callable[[nn.Module | None], Transform]
"""From what shifts its parameters by the context, if anything does, to a layer."""


@dataclass(frozen=True, kw_only=True)
class ElementaryConfig(VectorConfig):
    """How many layers there are, and what precedes each."""

    transforms: int = 16
    """Layers."""
    norm: Norm = "actnorm"
    """What precedes each layer: a scale and shift set from data, batch norm, or nothing."""


@dataclass(frozen=True, kw_only=True)
class PlanarConfig(ElementaryConfig):
    """What :func:`lambent.planar` builds."""


@dataclass(frozen=True, kw_only=True)
class RadialConfig(ElementaryConfig):
    """What :func:`lambent.radial` builds."""


@dataclass(frozen=True, kw_only=True)
class SylvesterConfig(ElementaryConfig):
    """What :func:`lambent.sylvester` builds."""

    units: int | None = None
    """Directions in which each layer pushes; as many as features, and at most 16, if not given."""
    reflections: int | None = None
    """Reflections whose product is a layer's basis; as many as units if not given."""


@register(PlanarConfig)
@of_tables
def planar(config: PlanarConfig) -> Flow:
    """Build a planar flow.

    Args:
        config: Sizes and forms.

    Returns:
        A flow over ``(features,)``.

    Raises:
        ValueError: If a field is missing or out of range.

    References:
        D. Rezende and S. Mohamed, "Variational Inference with Normalizing Flows", 2015,
        arXiv:1505.05770.

    Example:
        >>> planar(PlanarConfig(shape=(3,))).sample(2).shape
        torch.Size([2, 3])
    """
    size = features(config)
    return _stacked(config, 2 * size + 1, lambda net: Planar(size, net=net))


@register(RadialConfig)
@of_tables
def radial(config: RadialConfig) -> Flow:
    """Build a radial flow.

    Args:
        config: Sizes and forms.

    Returns:
        A flow over ``(features,)``.

    Raises:
        ValueError: If a field is missing or out of range.

    References:
        D. Rezende and S. Mohamed, "Variational Inference with Normalizing Flows", 2015,
        arXiv:1505.05770.

    Example:
        >>> radial(RadialConfig(shape=(3,))).sample(2).shape
        torch.Size([2, 3])
    """
    size = features(config)
    return _stacked(config, size + 2, lambda net: Radial(size, net=net))


@register(SylvesterConfig)
@of_tables
def sylvester(config: SylvesterConfig) -> Flow:
    """Build a Sylvester flow, its bases products of reflections.

    Args:
        config: Sizes and forms.

    Returns:
        A flow over ``(features,)``.

    Raises:
        ValueError: If a field is missing or out of range.

    References:
        R. van den Berg et al., "Sylvester Normalizing Flows for Variational Inference", 2018,
        arXiv:1803.05649, the form H-SNF.

    Example:
        >>> sylvester(SylvesterConfig(shape=(3,))).sample(2).shape
        torch.Size([2, 3])
    """
    size = features(config)
    units = min(size, 16) if config.units is None else config.units

    def layer(net: nn.Module | None) -> Transform:
        return Sylvester(size, units, reflections=config.reflections, net=net)

    return _stacked(config, 2 * units**2 + units, layer)


def _stacked(config: ElementaryConfig, params: int, layer: Layer) -> Flow:
    """Layers whose ``params`` numbers a linear map of the context shifts, where there is one."""
    check_at_least(config, 1, "transforms")
    size, context = features(config), context_size(config)
    steps: dict[str, Transform] = {}
    for i in range(config.transforms):
        steps |= {f"norm{i}": step for step in norm(config.norm, size)}
        net = None if context is None else ZeroLinear(context, params, log_scale_factor=1.0)
        steps[f"layer{i}"] = layer(net)
    return vector_flow(config, Compose(**steps))  # type: ignore[arg-type]
