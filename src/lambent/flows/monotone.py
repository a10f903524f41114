"""Autoregressive flows of monotone functions: sigmoidal networks (NAF), Bernstein polynomials."""

from __future__ import annotations

from dataclasses import dataclass

from lambent.core.flow import Flow
from lambent.core.registry import register
from lambent.flows.autoregressive import StackConfig, stacked
from lambent.flows.pixels import check_at_least
from lambent.flows.tables import of_tables
from lambent.flows.vectors import vector_flow
from lambent.transforms import Bernstein, MonotoneNetwork


@dataclass(frozen=True, kw_only=True)
class NAFConfig(StackConfig):
    """What :func:`lambent.naf` builds."""

    units: int = 8
    """Sigmoids of each layer of a number's own network."""
    depth: int = 1
    """Layers of a number's own network."""


@dataclass(frozen=True, kw_only=True)
class BernsteinConfig(StackConfig):
    """What :func:`lambent.bernstein` builds."""

    degree: int = 16
    """Degree of each polynomial."""
    polynomial_bound: float = 5.0
    """The polynomials bend from minus this to this, and go on straight beyond."""


@register(NAFConfig)
@of_tables
def naf(config: NAFConfig) -> Flow:
    """Build a neural autoregressive flow of deep sigmoidal networks.

    Densities cost a pass a layer; draws find roots number after number.

    Args:
        config: Sizes and forms.

    Returns:
        A flow over ``(features,)``.

    Raises:
        ValueError: If a field is missing or out of range.

    References:
        C. Huang et al., "Neural Autoregressive Flows", 2018, arXiv:1804.00779, the form NAF-DSF.

    Example:
        >>> naf(NAFConfig(shape=(3,), width=8)).sample(2).shape
        torch.Size([2, 3])
    """
    check_at_least(config, 1, "transforms", "units", "depth")
    network = MonotoneNetwork(units=config.units, layers=config.depth)
    return vector_flow(config, stacked(config, config.transforms, network, mixed=config.mixing))


@register(BernsteinConfig)
@of_tables
def bernstein(config: BernsteinConfig) -> Flow:
    """Build an autoregressive flow of monotone Bernstein polynomials.

    Densities cost a pass a layer; draws find roots number after number.

    Args:
        config: Sizes and forms.

    Returns:
        A flow over ``(features,)``.

    Raises:
        ValueError: If a field is missing or out of range.

    References:
        S. Ramasinghe et al., "Robust normalizing flows using Bernstein-type polynomials", 2021,
        arXiv:2102.03509.

    Example:
        >>> bernstein(BernsteinConfig(shape=(3,), width=8)).sample(2).shape
        torch.Size([2, 3])
    """
    check_at_least(config, 1, "transforms")
    if not 2 <= config.degree <= 99:
        raise ValueError(f"degree: expected 2 to 99, got {config.degree}")
    if not config.polynomial_bound > 0:
        raise ValueError(f"polynomial_bound: expected more than 0, got {config.polynomial_bound}")
    polynomial = Bernstein(degree=config.degree, bound=config.polynomial_bound)
    return vector_flow(config, stacked(config, config.transforms, polynomial, mixed=config.mixing))
