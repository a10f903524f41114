"""A flow over data and condition together, whose condition has to come out as it went in."""

from __future__ import annotations

import itertools
from functools import partial

from torch import nn

from lambent.core.compose import Compose
from lambent.core.flow import Flow
from lambent.core.registry import register
from lambent.core.transform import Transform
from lambent.data.order import shuffled
from lambent.distributions import NormalAndRule
from lambent.flows.couplings import of_images
from lambent.flows.joint_config import JointConfig, condition_of, noise_of
from lambent.flows.pixels import check_events, from_pixels
from lambent.nn import MLP, Condition, LabelNumber, ResidualNet, StandardUnits
from lambent.transforms import (
    ActNorm,
    Affine,
    Anneal,
    Append,
    Chosen,
    Coupling,
    Haar,
    Squeeze,
)

START = 0.1
"""Gain of the last layers' orthogonal weights, which makes every coupling start near the identity:
that of the published code, which has it in all layers."""


@register(JointConfig)
def joint(config: JointConfig) -> Flow:
    """Build a conditional flow without conditional networks: a bijection of data and condition.

    The condition y' is put beside the data x, a bijection takes (x, y') to (z, y), and the base
    asks y to equal y'. Once it does, the flow is a conditional flow of x given y'; until then
    ``log_prob``, that of the pair, only approximates ``log p(x | y')``.

    Args:
        config: Sizes and forms.

    Returns:
        A flow over ``config.shape`` given labels, vectors or images.

    Raises:
        ValueError: If a field is missing or out of range.

    References:
        J. Hyatt, "Maximum likelihood on the joint (data, condition) distribution for solving
        ill-posed problems with conditional flow models", 2022, arXiv:2208.11782.

    Example:
        >>> flow = joint(JointConfig(shape=(2,), context_features=1, couplings=6, width=8))
        >>> import torch
        >>> flow.sample(3, torch.tensor([[0.5]])).shape
        torch.Size([3, 2])
    """
    shape = check_events(config.shape, config.grey_levels, least=1)
    condition = condition_of(config, shape)
    channels = 1 if condition is None else condition[0]
    places = (shape[1], shape[2]) if len(shape) == 3 else None
    if condition is None:
        assert config.classes is not None  # condition_of has seen to it
        units: LabelNumber | StandardUnits = LabelNumber(config.classes)
    else:
        units = StandardUnits(condition)
    whole = (shape[0] + channels, *shape[1:])
    couplings = _of_vectors(config, whole[0]) if places is None else _of_images(config, whole)
    pixels = {} if config.grey_levels is None else from_pixels(config.grey_levels)
    transform = Compose(
        **pixels,  # type: ignore[arg-type]
        standardise=_units(config, shape[0]),
        anneal=Anneal(),
        append=Append(channels),
        couplings=Compose(*couplings),
    )
    return Flow(
        transform,
        NormalAndRule(whole, channels, config.rule_weight),
        context_encoder=Condition(units, noise=noise_of(config), places=places),
    )


def _units(config: JointConfig, channels: int) -> Transform:
    """Unit scale in each channel, or in the sums and each of the differences of its blocks.

    Couplings have bounded scales: an axis as narrow as the sums of what an image lacks at half the
    size is out of their reach, the more so as it lies across the pixels.
    """
    scales = ActNorm(4 * channels if config.haar else channels, log_scale_factor=1.0)
    scales.requires_grad_(requires_grad=False)
    return Compose(Haar(), scales, Haar().inv) if config.haar else scales


def masks(features: int, count: int, seed: int) -> list[tuple[int, ...]]:
    """What conditions in each of some couplings of a vector.

    Groups in which each mask has one turn, in an order drawn for each group: of up to three
    features all that leave neither part empty, of more a random half and its complement in turn.

    Args:
        features: Of a vector, at least 2.
        count: How many couplings.
        seed: Of the orders.

    Returns:
        The features that are kept in each.
    """
    found: list[tuple[int, ...]] = []
    everything = range(features)
    for group in range(count):
        if features <= 3:
            sizes = range(1, features)
            every = [kept for size in sizes for kept in itertools.combinations(everything, size)]
            found += [every[i] for i in shuffled(len(every), seed, group).tolist()]
        else:
            order: list[int] = shuffled(features, seed, group).tolist()
            half = features // 2
            found += [tuple(sorted(order[:half])), tuple(sorted(order[half:]))]
    return found[:count]


def _of_vectors(config: JointConfig, features: int) -> list[Transform]:
    """Couplings of the features of data and condition."""
    steps: list[Transform] = []
    for kept in masks(features, config.couplings, config.mask_seed):
        net = MLP(
            len(kept),
            2 * (features - len(kept)),
            width=config.width,
            layers=config.layers,
            activation="leaky_relu",
        )
        nn.init.orthogonal_(net.last.weight, START)
        steps.append(Coupling(net, Affine(config.scale_bound), Chosen(kept)))
    return steps


def _of_images(config: JointConfig, shape: tuple[int, ...]) -> list[Transform]:
    """Couplings on the board and by channels, at full size and at half in turn.

    There is no board of odd width, and no half of odd sides.
    """
    channels, height, width = shape
    steps: list[Transform] = []
    left, half = config.couplings, False
    while left > 0:
        now = 4 * channels if half else channels
        even = (width // 2 if half else width) % 2 == 0
        group = _on_board(config, now, min(left, 2)) if even else []
        left -= len(group)
        by_channels = _by_channels(config, now, min(left, 4 if half else 2))
        left -= len(by_channels)
        group += by_channels
        gathered: Transform = Haar() if config.haar else Squeeze()
        steps += [gathered, *group, gathered.inv] if half else group
        half = not half and height % 2 == 0 and width % 2 == 0
    return steps


def _on_board(config: JointConfig, channels: int, count: int) -> list[Transform]:
    """Couplings of planes on the checkerboard."""
    bound = Affine(config.scale_bound)
    return of_images(count, channels, partial(_net, config), bound, board=True)


def _by_channels(config: JointConfig, channels: int, count: int) -> list[Transform]:
    """Couplings of planes by channels: of the first and last half, of the even and the odd."""
    half = channels // 2
    first = tuple(range(half))
    second = tuple(range(half, channels))
    evens, odds = tuple(range(0, channels, 2)), tuple(range(1, channels, 2))
    steps: list[Transform] = []
    for kept in (first, second, evens, odds)[:count]:
        changed = channels - len(kept)
        net = _net(config, len(kept), 2 * changed)
        steps.append(Coupling(net, Affine(config.scale_bound), Chosen(kept)))
    return steps


def _net(config: JointConfig, kept: int, params: int) -> nn.Module:
    """The conditioner of a coupling of planes."""
    return ResidualNet(kept, params, width=config.width, blocks=config.blocks)
