"""Neural spline flows of vectors, autoregressive and of couplings."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from torch import nn

from lambent.core.compose import Compose
from lambent.core.flow import Flow
from lambent.core.registry import register
from lambent.core.transform import Transform
from lambent.distributions import Uniform
from lambent.flows.autoregressive import stacked
from lambent.flows.context import conditional, context_size
from lambent.flows.couplings import of_vectors
from lambent.flows.mixing import mixing, norm
from lambent.flows.nsf_config import NSFConfig, checked
from lambent.flows.tables import of_tables
from lambent.flows.vectors import vector_flow
from lambent.nn import MLP, Constant, OnCircle, ResidualMLP
from lambent.transforms import (
    CircularSpline,
    Complement,
    Coupling,
    Elementwise,
    IntervalSpline,
    RationalQuadratic,
)


@register(NSFConfig)
@of_tables
def nsf(config: NSFConfig) -> Flow:
    """Build a neural spline flow.

    Densities cost a pass a layer. So do draws in the coupling form; in the autoregressive form one
    number comes after the other.

    Args:
        config: Sizes and forms.

    Returns:
        A flow over ``(features,)``.

    Raises:
        ValueError: If a field is missing or out of range.

    References:
        C. Durkan et al., "Neural Spline Flows", 2019, arXiv:1906.04032, the forms RQ-NSF (AR) and
        RQ-NSF (C).

    Example:
        >>> nsf(NSFConfig(shape=(3,), width=8)).sample(2).shape
        torch.Size([2, 3])
        >>> nsf(NSFConfig(shape=(3,), width=8, form="coupling")).sample(2).shape
        torch.Size([2, 3])
    """
    size = checked(config)
    kinds: dict[str, type[RationalQuadratic | IntervalSpline | CircularSpline]] = {
        "line": RationalQuadratic,
        "interval": IntervalSpline,
        "circle": CircularSpline,
    }
    spline = kinds[config.domain](bins=config.bins, bound=config.spline_bound)
    if config.domain != "line":
        config = replace(config, norm="none")
    if config.form == "coupling":
        layers = _couplings(config, size, spline)
    else:
        layers = stacked(config, config.transforms, spline, mixed=config.mixing)
    if config.domain == "line":
        return vector_flow(config, layers)
    return conditional(config, layers, Uniform((size,), config.spline_bound), prior=False)


def _couplings(config: NSFConfig, size: int, spline: Elementwise) -> Compose:
    """Couplings that the even and the odd features condition in turn."""
    steps: dict[str, Transform] = {}
    for i in range(config.transforms):
        if i and config.mixing != "reverse":
            steps[f"{config.mixing}{i}"] = mixing(config.mixing, size)
        steps |= {f"norm{i}": layer for layer in norm(config.norm, size)}
        coupling = of_vectors(i, size, partial(_network, config), spline)
        steps[f"coupling{i}"] = coupling
        if config.kept_splines:
            kept = size // 2 if i % 2 else size - size // 2
            alone = Constant(kept * spline.num_params)
            steps[f"kept{i}"] = Coupling(alone, spline, Complement(coupling.partition))
    return Compose(**steps)  # type: ignore[arg-type]


def _network(config: NSFConfig, kept: int, params: int) -> nn.Module:
    """The conditioner of a coupling."""
    if config.domain == "circle":
        return OnCircle(_plain_network(config, 2 * kept, params), config.spline_bound)
    return _plain_network(config, kept, params)


def _plain_network(config: NSFConfig, kept: int, params: int) -> nn.Module:
    context = context_size(config)
    if config.network == "residual":
        return ResidualMLP(
            kept,
            params,
            width=config.width,
            blocks=config.layers,
            dropout=config.dropout,
            context_features=context,
        )
    return MLP(
        kept,
        params,
        width=config.width,
        layers=config.layers,
        activation=config.activation,
        context_features=context,
    )
