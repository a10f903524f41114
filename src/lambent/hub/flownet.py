"""What the layouts of ``y0ast/Glow-PyTorch`` and ``chaiyujin/glow-pytorch`` share.

One list ``flow.layers`` holds, for each level, a squeeze (without weights), the steps, and the
prior of the half that leaves. Hidden convolutions have an actnorm; shift and raw scale are
interleaved, as are mean and log-scale of such a prior; of the top prior each is a half of the
channels. Convolutions pad with zeros. Actnorms hold ``logs`` without a factor, zero convolutions
with the factor 3.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from lambent.flows import GlowConfig
from lambent.hub.flownet_layers import Names, actnorm, mix, network, split_prior, top_prior
from lambent.hub.flownet_sizes import Sizes, sizes_of
from lambent.hub.parts import Asked, Imported, State, level, under
from lambent.hub.weights import Weights


def read(weights: Weights, asked: Asked, names: Names, grey_levels: int) -> Imported:
    """Read a layout of the two.

    Args:
        weights: The foreign state dict.
        asked: What the caller says.
        names: What the layout calls things.
        grey_levels: Grey levels of each channel.

    Returns:
        Form and weights of our flow.

    Raises:
        ValueError: If something is missing, or of a shape that does not fit.
    """
    sizes = sizes_of(weights, asked, names.net, names.inner)
    mixed = bool(weights.numbers(r"flow\.layers\.(\d+)\.invconv\."))
    plu = mixed and not weights.numbers(r"flow\.layers\.(\d+)\.invconv\.weight")
    if mixed and asked.orders is not None:
        raise ValueError("permutation: expected none, for these weights have 1x1 convolutions")
    orders = () if mixed else _orders(asked, sizes)
    state: State = {}
    for i in range(sizes.levels):
        channels = sizes.channels(i)
        for k in range(sizes.steps):
            theirs, ours = sizes.layer(i, k), f"{level(i)}.step{k}"
            norm = actnorm(weights, f"{theirs}.actnorm", channels)
            state |= under(f"{ours}.actnorm.affine", norm)
            if orders:
                entries = {"order": orders[i * sizes.steps + k]}
            else:
                entries = mix(weights, f"{theirs}.invconv", channels, names, plu=plu)
            state |= under(f"{ours}.mix", entries)
            outputs = channels if sizes.affine else channels // 2
            shape = (channels // 2, sizes.width, outputs)
            net = network(weights, f"{theirs}.{names.net}", shape, names.inner)
            state |= under(f"{ours}.coupling.net", net)
        if i + 1 < sizes.levels:
            prior = split_prior(weights, sizes.layer(i, sizes.steps), channels, names.inner)
            state |= under(f"{level(i)}.prior.net", prior)
    top, classes = top_prior(weights, sizes.channels(sizes.levels - 1), names)
    state |= under(f"{level(sizes.levels - 1)}.prior.net", top)
    fixed: Literal["reverse", "shuffle"] = "reverse" if isinstance(asked.orders, str) else "shuffle"
    config = GlowConfig(
        shape=sizes.shape,
        grey_levels=grey_levels,
        levels=sizes.levels,
        steps=sizes.steps,
        width=sizes.width,
        coupling="affine" if sizes.affine else "additive",
        permutation="plu" if plu else "conv" if mixed else fixed,
        scale="released",
        norm="actnorm",
        border=False,
        learn_top="conv.conv.weight" in top,
        conditioning="none" if classes is None else "top",
        classes=classes,
    )
    return Imported(config, state)


def _orders(asked: Asked, sizes: Sizes) -> tuple[Tensor, ...]:
    """The fixed orders of the channels, which these weights do not hold."""
    wanted = [sizes.channels(i) for i in range(sizes.levels) for _ in range(sizes.steps)]
    if asked.orders is None:
        raise ValueError(
            "permutation: expected 'reverse', or the order of the channels of each step: "
            "these weights hold no 1x1 convolutions, and no orders"
        )
    if isinstance(asked.orders, str):
        return tuple(torch.arange(channels).flip(0) for channels in wanted)
    if len(asked.orders) != len(wanted):
        raise ValueError(
            f"permutation: expected an order for each of {len(wanted)} steps, "
            f"got {len(asked.orders)}"
        )
    for k, (order, channels) in enumerate(zip(asked.orders, wanted, strict=True)):
        if not order.sort()[0].equal(torch.arange(channels)):
            raise ValueError(
                f"permutation: expected the numbers 0 to {channels - 1} for step {k}, "
                f"got {order.tolist()}"
            )
    return asked.orders
