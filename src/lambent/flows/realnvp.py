"""Real NVP: affine couplings with alternating masks, of vectors and of images."""

from __future__ import annotations

import math
from functools import partial

import torch
from torch import nn

from lambent.core.compose import Compose
from lambent.core.flow import Flow
from lambent.core.registry import register
from lambent.core.transform import Transform
from lambent.distributions import StandardNormal
from lambent.flows.context import conditional, context_size
from lambent.flows.couplings import of_images, of_vectors
from lambent.flows.dequantisation import dequantise
from lambent.flows.pixels import first_step, from_pixels
from lambent.flows.realnvp_config import RealNVPConfig, checked
from lambent.flows.tables import of_tables
from lambent.nn import MLP, CouplingNet, ResidualNet, ShiftAndScale
from lambent.transforms import (
    ActNorm,
    Affine,
    BatchNorm,
    Logit,
    MultiScale,
    Permute,
    Squeeze,
)


@register(RealNVPConfig)
@of_tables
def realnvp(config: RealNVPConfig) -> Flow:
    """Build a Real NVP over vectors of real numbers, or over images.

    Args:
        config: Sizes and forms.

    Returns:
        A flow over ``config.shape`` whose latent is one flat standard normal of the same size.

    Raises:
        ValueError: If a field is missing or out of range, or the levels do not divide the size.

    References:
        L. Dinh et al., "Density estimation using Real NVP", 2017, arXiv:1605.08803.

    Example:
        >>> flow = realnvp(RealNVPConfig(shape=(1, 4, 4), grey_levels=17, width=8, blocks=1))
        >>> flow.sample(2).shape
        torch.Size([2, 1, 4, 4])
    """
    shape = checked(config)
    first = first_step(shape, whiten=config.whiten)
    base = StandardNormal((math.prod(shape),))
    if len(shape) == 1:
        return conditional(config, Compose(*first.values(), *_of_vectors(config, shape[0])), base)
    pixels: dict[str, Transform] = {}
    if config.grey_levels is not None:
        size = context_size(config)
        noise = dequantise(config, shape, config.grey_levels, None if size is None else (size,))
        pixels = {
            **from_pixels(config.grey_levels, dequantise=noise),
            "logit": Logit(config.alpha),
        }
    levels = []
    channels, width = shape[0], config.width
    for _ in range(config.levels - 1):
        levels.append(_level(config, channels, width))
        channels, width = 2 * channels, 2 * width
    levels.append(Compose(*_couplings(config, 4, channels, width, board=True)))
    scales = MultiScale(*levels, shape=shape)
    return conditional(config, Compose(**pixels, scales=scales), base)  # type: ignore[arg-type]


def _of_vectors(config: RealNVPConfig, features: int) -> list[Transform]:
    """Couplings of a vector, which the even and the odd features condition in turn."""
    steps: list[Transform] = []
    for i in range(config.couplings):
        coupling = of_vectors(i, features, partial(_dense, config), Affine(config.scale_bound))
        steps += [coupling, *_norm(config, features)]
    return steps


def _dense(config: RealNVPConfig, kept: int, params: int) -> nn.Module:
    """The conditioner of a coupling of vectors."""
    mlp = partial(
        MLP,
        kept,
        width=config.width,
        layers=config.layers,
        context_features=context_size(config),
    )
    if config.networks == "one":
        return mlp(params)
    return ShiftAndScale(shift=mlp(params // 2), scale=mlp(params // 2, activation="tanh"))


def _level(config: RealNVPConfig, channels: int, width: int) -> Compose:
    """Three couplings on the board, squeeze, three by channels, and the channels in fair order."""
    return Compose(
        *_couplings(config, 3, channels, width, board=True),
        Squeeze(),
        *_couplings(config, 3, 4 * channels, 2 * width, board=False),
        Permute(fair_order(channels)),
    )


def fair_order(channels: int) -> torch.Tensor:
    """The order of squeezed channels in which either half is of two places that touch at a corner.

    It is what squeezing in another order of the places makes: first what was at the top left and
    the bottom right of each cell, of all channels, then the other two.

    Args:
        channels: Channels before the squeeze, ``c``.

    Returns:
        A permutation of the ``4 c`` channels after it.
    """
    places = torch.tensor([0, 3, 1, 2])
    return (places[:, None] + 4 * torch.arange(channels)).flatten()


def _couplings(
    config: RealNVPConfig, count: int, channels: int, width: int, *, board: bool
) -> list[Transform]:
    """Couplings whose two parts condition in turn, each with what follows it."""
    return of_images(
        count,
        channels,
        partial(_net, config, width),
        Affine(config.scale_bound),
        board=board,
        after=lambda: _norm(config, channels),
    )


def _net(config: RealNVPConfig, width: int, kept: int, params: int) -> nn.Module:
    """The conditioner of a coupling of images."""
    context = context_size(config)
    if config.network == "glow":
        return CouplingNet(kept, params, width=width, context_features=context)
    return ResidualNet(kept, params, width=width, blocks=config.blocks, context_features=context)


def _norm(config: RealNVPConfig, channels: int) -> list[Transform]:
    """What follows a coupling."""
    if config.norm == "none":
        return []
    return [BatchNorm(channels) if config.norm == "batch" else ActNorm(channels)]
