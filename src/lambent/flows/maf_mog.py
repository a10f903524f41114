"""MAF with conditionals that are mixtures of Gaussians."""

from __future__ import annotations

from dataclasses import dataclass

from lambent.core.compose import Compose
from lambent.core.flow import Flow
from lambent.core.registry import register
from lambent.core.transform import Transform
from lambent.distributions import AutoregressiveMixture
from lambent.flows.autoregressive import MAFConfig, affine_layers
from lambent.flows.context import conditional, context_size
from lambent.flows.pixels import check_at_least
from lambent.flows.tables import of_tables
from lambent.flows.vectors import features, whitened
from lambent.nn import MADE
from lambent.transforms import Permute


@dataclass(frozen=True, kw_only=True)
class MAFMoGConfig(MAFConfig):
    """What :func:`lambent.maf_mog` builds; ``components`` are the normals of each mixture."""


@register(MAFMoGConfig)
@of_tables
def maf_mog(config: MAFMoGConfig) -> Flow:
    """Build a MAF whose base is autoregressive too, each conditional a mixture of Gaussians.

    Densities cost a pass a layer and one for the base, draws one number after the other.

    Args:
        config: Sizes and forms.

    Returns:
        A flow over ``(features,)``.

    Raises:
        ValueError: If a field is missing or out of range, or another base is asked for.

    References:
        G. Papamakarios et al., "Masked Autoregressive Flow", 2017, arXiv:1705.07057, the form
        MAF MoG.

    Example:
        >>> maf_mog(MAFMoGConfig(shape=(3,), width=8)).sample(2).shape
        torch.Size([2, 3])
    """
    size = features(config)
    check_at_least(config, 1, "transforms", "components", "layers", "width")
    if config.base != "normal":
        raise ValueError(
            f"base: expected normal, in whose place the mixtures stand, got {config.base}"
        )
    net = MADE(
        size,
        3 * config.components,
        width=config.width,
        layers=config.layers,
        activation=config.activation,
        context_features=context_size(config),
    )
    layers: Transform = Compose(maf=affine_layers(config), reverse=Permute.reverse(size))
    base = AutoregressiveMixture(net, size, config.components)
    return conditional(config, whitened(config, layers), base)
