"""Autoregressive flows of vectors: MADE, MAF and IAF."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from lambent.core.compose import Compose
from lambent.core.flow import Flow
from lambent.core.registry import register
from lambent.core.transform import Transform
from lambent.flows.context import context_size
from lambent.flows.mixing import Mixing, Norm, mixing, norm
from lambent.flows.pixels import check_at_least
from lambent.flows.tables import of_tables
from lambent.flows.vectors import VectorConfig, features, vector_flow
from lambent.nn import MADE
from lambent.transforms import Affine, Autoregressive, Elementwise


@dataclass(frozen=True, kw_only=True)
class AutoregressiveConfig(VectorConfig):
    """The networks of an autoregressive flow, and what stands between its layers."""

    layers: int = 2
    """Hidden layers of each network."""
    width: int = 128
    """Units of each hidden layer."""
    activation: Literal["relu", "tanh"] = "relu"
    """What follows each of them."""
    norm: Norm = "actnorm"
    """What precedes each layer: a scale and shift set from data, batch norm, or nothing."""
    degrees: Literal["even", "random"] = "even"
    """Which features a hidden unit may read: up to each as often, or up to one drawn for it."""
    inverse: Literal["cached", "dense", "jacobi"] = "cached"
    """How a layer is inverted: feature by feature in one pass of the network in all, in a pass for
    each, or in passes over all features until nothing changes."""


@dataclass(frozen=True, kw_only=True)
class MADEConfig(AutoregressiveConfig):
    """What :func:`lambent.made` builds: one autoregressive layer."""

    scale_bound: float = 3.0
    """Largest absolute log-scale of a layer."""


@dataclass(frozen=True, kw_only=True)
class StackConfig(AutoregressiveConfig):
    """Several autoregressive layers."""

    transforms: int = 5
    """Autoregressive layers."""
    mixing: Mixing = "reverse"
    """What precedes each layer but the first: the features reversed, a fixed random order, or a
    learned linear map."""


@dataclass(frozen=True, kw_only=True)
class MAFConfig(MADEConfig, StackConfig):
    """What :func:`lambent.maf` builds."""


@dataclass(frozen=True, kw_only=True)
class IAFConfig(MAFConfig):
    """What :func:`lambent.iaf` builds."""


@register(MADEConfig)
@of_tables
def made(config: MADEConfig) -> Flow:
    """Build one autoregressive layer of Gaussian conditionals over vectors.

    Args:
        config: Sizes and forms.

    Returns:
        A flow over ``(features,)``.

    Raises:
        ValueError: If a field is missing or out of range.

    References:
        M. Germain et al., "MADE: Masked Autoencoder for Distribution Estimation", 2015,
        arXiv:1502.03509.

    Example:
        >>> made(MADEConfig(shape=(3,), width=8)).sample(2).shape
        torch.Size([2, 3])
    """
    return vector_flow(config, stacked(config, 1, _affine(config)))


@register(MAFConfig)
@of_tables
def maf(config: MAFConfig) -> Flow:
    """Build a masked autoregressive flow: densities cost a pass a layer.

    Args:
        config: Sizes and forms.

    Returns:
        A flow over ``(features,)``.

    Raises:
        ValueError: If a field is missing or out of range.

    References:
        G. Papamakarios et al., "Masked Autoregressive Flow for Density Estimation", 2017,
        arXiv:1705.07057.

    Example:
        >>> maf(MAFConfig(shape=(3,), width=8)).sample(2).shape
        torch.Size([2, 3])
    """
    return vector_flow(config, affine_layers(config))


@register(IAFConfig)
@of_tables
def iaf(config: IAFConfig) -> Flow:
    """Build an inverse autoregressive flow: draws cost a pass a layer, and densities of them too.

    It is a MAF turned round. The density of given data goes through the autoregressive inverse.

    Args:
        config: Sizes and forms.

    Returns:
        A flow over ``(features,)``.

    Raises:
        ValueError: If a field is missing or out of range.

    References:
        D. Kingma et al., "Improving Variational Inference with Inverse Autoregressive Flow", 2016,
        arXiv:1606.04934.

    Example:
        >>> iaf(IAFConfig(shape=(3,), width=8)).sample(2).shape
        torch.Size([2, 3])
    """
    return vector_flow(config, affine_layers(config).inv)


def affine_layers(config: MAFConfig) -> Compose:
    """The layers of a MAF.

    Args:
        config: Sizes and forms.

    Returns:
        The layers by name.

    Raises:
        ValueError: If a field is missing or out of range.
    """
    check_at_least(config, 1, "transforms")
    return stacked(config, config.transforms, _affine(config), mixed=config.mixing)


def stacked(
    config: AutoregressiveConfig,
    transforms: int,
    elementwise: Elementwise,
    *,
    mixed: Mixing = "reverse",
) -> Compose:
    """Layers of one elementwise map, the features reversed or mixed from each to the next.

    Args:
        config: Sizes and forms of the networks, and what precedes each layer.
        transforms: Layers.
        elementwise: The map.
        mixed: What stands between two layers.

    Returns:
        The layers by name.

    Raises:
        ValueError: If a field is missing or out of range.
    """
    size = features(config)
    check_at_least(config, 1, "layers", "width")
    context = context_size(config)
    steps: dict[str, Transform] = {}
    for i in range(transforms):
        if i:
            steps[f"{mixed}{i}"] = mixing(mixed, size)
        steps |= {f"norm{i}": layer for layer in norm(config.norm, size)}
        net = MADE(
            size,
            elementwise.num_params,
            width=config.width,
            layers=config.layers,
            activation=config.activation,
            context_features=context,
            degrees=config.degrees,
        )
        steps[f"autoregressive{i}"] = Autoregressive(net, elementwise, inverse=config.inverse)
    return Compose(**steps)  # type: ignore[arg-type]


def _affine(config: MADEConfig) -> Affine:
    if not config.scale_bound > 0:
        raise ValueError(f"scale_bound: expected more than 0, got {config.scale_bound}")
    return Affine(config.scale_bound)
