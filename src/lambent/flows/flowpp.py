"""Flow++: couplings through mixtures of logistics, of vectors and of images."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial

from torch import nn

from lambent.core.compose import Compose
from lambent.core.flow import Flow
from lambent.core.registry import register
from lambent.core.transform import Transform
from lambent.distributions import StandardNormal
from lambent.flows.context import conditional, context_size
from lambent.flows.couplings import of_images, of_vectors
from lambent.flows.dequantisation import dequantise
from lambent.flows.pixels import check_at_least, check_events, first_step, from_pixels
from lambent.flows.tables import TableConfig, of_tables
from lambent.nn import MLP, ResidualNet
from lambent.transforms import ActNorm, Flatten, LogisticMixture, Logit, PLUConv1x1, Squeeze


@dataclass(frozen=True, kw_only=True)
class FlowPPConfig(TableConfig):
    """What :func:`lambent.flowpp` builds. The defaults are small: minutes on a laptop."""

    shape: tuple[int, ...] | None = None
    """Shape of an event: (features,) or (channels, height, width); the command line takes the
    data's own."""
    grey_levels: int | None = None
    """Grey levels of images of integers, 2 to 256; the command line takes the data's own. Without
    them events are real numbers, and there is no logit."""
    components: int = 8
    """Logistics of each mixture; 32 as published."""
    scale_bound: float = 2.0
    """Largest absolute log-scale of the affine map after the mixture."""
    width: int = 64
    """Hidden units or channels of the networks; 96 as published, of images."""
    couplings: int = 8
    """Of vectors: how many couplings."""
    layers: int = 2
    """Of vectors: hidden layers of each network."""
    whiten: bool = False
    """Of vectors: whether a triangular map set from the first batch, which takes it to mean 0 and
    covariance 1, comes first."""
    blocks: int = 2
    """Of images: residual blocks of each network; 10 as published."""
    first: int = 4
    """Of images: couplings on the checkerboard before places are squeezed into channels."""
    channelwise: int = 2
    """Of images: couplings by channels after it."""
    last: int = 3
    """Of images: couplings on the checkerboard after those."""
    alpha: float = 0.05
    """Of images with grey levels: distance kept from 0 and 1 before the logit, 0 up to 1/2."""


@register(FlowPPConfig)
@of_tables
def flowpp(config: FlowPPConfig) -> Flow:
    """Build a Flow++ over vectors of real numbers, or over images.

    The published networks are gated and attend to themselves; here they are residual blocks.
    Variational dequantisation is a setting of its own.

    Args:
        config: Sizes and forms.

    Returns:
        A flow over ``config.shape`` with a flat latent.

    Raises:
        ValueError: If a field is missing or out of range, or height and width do not fit.

    References:
        J. Ho et al., "Flow++", 2019, arXiv:1902.00275.

    Example:
        >>> flowpp(FlowPPConfig(shape=(3,), width=8, couplings=2)).sample(2).shape
        torch.Size([2, 3])
    """
    shape = _checked(config)
    mixture = LogisticMixture(components=config.components, bound=config.scale_bound)
    base = StandardNormal((math.prod(shape),))
    if len(shape) == 1:
        return conditional(config, _of_vectors(config, shape[0], mixture), base)
    pixels: dict[str, Transform] = {}
    if config.grey_levels is not None:
        size = context_size(config)
        noise = dequantise(config, shape, config.grey_levels, None if size is None else (size,))
        pixels = {
            **from_pixels(config.grey_levels, dequantise=noise),
            "logit": Logit(config.alpha),
        }
    steps = _of_images(config, shape, mixture)
    return conditional(config, Compose(**pixels, couplings=steps), base)  # type: ignore[arg-type]


def _of_vectors(config: FlowPPConfig, features: int, mixture: LogisticMixture) -> Compose:
    """A scale and shift, then a coupling, again and again."""
    net = partial(
        MLP, width=config.width, layers=config.layers, context_features=context_size(config)
    )
    steps: list[Transform] = [*first_step((features,), whiten=config.whiten).values()]
    for i in range(config.couplings):
        steps += [
            ActNorm(features, log_scale_factor=1.0),
            of_vectors(i, features, net, mixture),
        ]
    return Compose(*steps)


def _of_images(config: FlowPPConfig, shape: tuple[int, ...], mixture: LogisticMixture) -> Compose:
    """Couplings on the board, by channels, and on the board of squeezed places."""
    channels = shape[0]

    def net(kept: int, params: int) -> nn.Module:
        return ResidualNet(
            kept,
            params,
            width=config.width,
            blocks=config.blocks,
            context_features=context_size(config),
        )

    def scaled() -> list[Transform]:
        return [ActNorm(channels)]

    def scaled_and_mixed() -> list[Transform]:
        return [ActNorm(4 * channels), PLUConv1x1(4 * channels)]

    return Compose(
        *of_images(config.first, channels, net, mixture, board=True, before=scaled),
        Squeeze(),
        *of_images(
            config.channelwise, 4 * channels, net, mixture, board=False, before=scaled_and_mixed
        ),
        *of_images(config.last, 4 * channels, net, mixture, board=True, before=scaled_and_mixed),
        Flatten((4 * channels, shape[1] // 2, shape[2] // 2)),
    )


def _checked(config: FlowPPConfig) -> tuple[int, ...]:
    """The shape of an event, once everything is found to be in range."""
    shape = check_events(config.shape, config.grey_levels)
    check_at_least(config, 1, "components", "width", "couplings", "layers")
    check_at_least(config, 0, "blocks", "first", "channelwise", "last")
    first_step(shape, whiten=config.whiten)
    if not config.scale_bound > 0:
        raise ValueError(f"scale_bound: expected more than 0, got {config.scale_bound}")
    if not 0 < config.alpha < 0.5:
        raise ValueError(f"alpha: expected more than 0, less than 0.5, got {config.alpha}")
    if len(shape) == 3 and (shape[1] % 2 or shape[2] % 4):
        raise ValueError(
            f"shape: expected an even height and a width that 4 divides, got {shape[1]} x "
            f"{shape[2]}"
        )
    return shape
