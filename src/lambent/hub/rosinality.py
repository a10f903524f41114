"""The layout of ``rosinality/glow-pytorch``.

``blocks.I.flows.K`` holds ``actnorm`` (``loc`` and a ``scale`` of either sign), ``invconv``
(factors, or a ``weight``; where weights are free the last block still has factors) and
``coupling.net``, whose hidden convolutions have biases. Zero convolutions pad with ones in every
channel, which is a border channel whose weights are their sum. Scale comes before shift and mean
before log-scale, each a half of the channels.
"""

from __future__ import annotations

import torch
from torch import Tensor

from lambent.flows import GlowConfig
from lambent.hub.parts import (
    Asked,
    Imported,
    State,
    channel_affine,
    columns_times,
    factors,
    free,
    interleaved,
    level,
    multiplied,
    under,
    with_ring,
    zero_conv,
)
from lambent.hub.weights import Weights

MARK = r"blocks\.(\d+)\.flows\.\d+\."
"""What a key of this layout begins with."""


def read(weights: Weights, asked: Asked) -> Imported:
    """Read this layout.

    Args:
        weights: The foreign state dict.
        asked: ``shape`` and ``grey_levels`` are needed.

    Returns:
        Form and weights of our flow.

    Raises:
        ValueError: If something is missing, or of a shape that does not fit.
    """
    if asked.shape is None:
        raise ValueError("shape: expected (channels, height, width): these weights do not say")
    if asked.grey_levels is None:
        raise ValueError(
            "grey_levels: expected a number: these weights do not say; "
            "this code trains at 32 (5 bits) unless told otherwise"
        )
    if asked.orders is not None:
        raise ValueError("permutation: expected none, for this layout always has 1x1 convolutions")
    levels = len(weights.numbers(MARK))
    steps = len(weights.numbers(r"blocks\.0\.flows\.(\d+)\."))
    first = "blocks.0.flows.0.coupling.net"
    width = weights.shape(f"{first}.0.weight", 4)[0]
    outputs = weights.shape(f"{first}.4.conv.weight", 4)[0]
    channels = asked.shape[0]
    found = weights.shape("blocks.0.flows.0.actnorm.loc", 4)[1]
    if found != 4 * channels:
        raise ValueError(f"shape: these weights are of {found} / 4 channels, got {asked.shape}")
    affine = outputs == found
    state: State = {}
    mixes: dict[str, State] = {}
    for i in range(levels):
        wide = (4 * channels) << i
        for k in range(steps):
            theirs, ours = f"blocks.{i}.flows.{k}", f"{level(i)}.step{k}"
            norm, sign = _actnorm(weights, f"{theirs}.actnorm", wide)
            state |= under(f"{ours}.actnorm.affine", norm)
            mixes[f"{ours}.mix"] = columns_times(_mix(weights, f"{theirs}.invconv", wide), sign)
            net = _net(weights, f"{theirs}.coupling.net", wide, width, affine=affine)
            state |= under(f"{ours}.coupling.net", net)
        prior = _prior(weights, f"blocks.{i}.prior", wide, last=i + 1 == levels)
        state |= under(f"{level(i)}.prior.net.conv", prior)
    plu = all("lower" in mix for mix in mixes.values())
    for name, mix in mixes.items():
        state |= under(name, mix if plu else multiplied(mix))
    config = GlowConfig(
        shape=asked.shape,
        grey_levels=asked.grey_levels,
        levels=levels,
        steps=steps,
        width=width,
        coupling="affine" if affine else "additive",
        permutation="plu" if plu else "conv",
        scale="released",
        norm="bias",
        border=True,
    )
    return Imported(config, state)


def _actnorm(weights: Weights, key: str, channels: int) -> tuple[State, Tensor]:
    """The actnorm with the absolute scale, and the sign that was taken off."""
    bias = weights.take(f"{key}.loc", 1, channels, 1, 1)
    scale = weights.take(f"{key}.scale", 1, channels, 1, 1).flatten()
    if f"{key}.initialized" in weights and not weights.take(f"{key}.initialized"):
        raise ValueError(f"{key}.initialized: expected a trained model, got a layer never set")
    if not scale.all():
        raise ValueError(f"{key}.scale: expected numbers other than 0, got 0")
    return channel_affine(bias, scale.double().abs().log()), scale.sign()


def _mix(weights: Weights, key: str, channels: int) -> State:
    """The 1x1 convolution."""
    if not any(f"{key}.{name}" in weights for name in ("w_p", "w_l", "w_u", "w_s")):
        weight = weights.take(f"{key}.weight", channels, channels, 1, 1)
        return free(f"{key}.weight", weight[:, :, 0, 0])
    weights.skip(*(f"{key}.{name}" for name in ("u_mask", "l_mask", "l_eye")))
    square = (channels, channels)
    return factors(
        key,
        permutation=weights.take(f"{key}.w_p", *square),
        lower=weights.take(f"{key}.w_l", *square),
        upper=weights.take(f"{key}.w_u", *square),
        sign=weights.take(f"{key}.s_sign", channels),
        log_scale=weights.take(f"{key}.w_s", channels),
    )


def _net(weights: Weights, key: str, channels: int, width: int, *, affine: bool) -> State:
    """The coupling network; its first convolution pads with zeros, as no border channel does."""
    half = channels // 2
    first = weights.take(f"{key}.0.weight", width, half, 3, 3)
    last = _zero_conv(weights, f"{key}.4", width, channels if affine else half)
    if affine:  # raw scales, then shifts
        last = tuple(interleaved(*part.chunk(2)[::-1]) for part in last)
    return {
        "first.weight": with_ring(first, torch.zeros(width, 3, 3)),
        "first.bias": weights.take(f"{key}.0.bias", width),
        "second.weight": weights.take(f"{key}.2.weight", width, width, 1, 1).flatten(1),
        "second.bias": weights.take(f"{key}.2.bias", width),
        **under("last", _padded_with_ones(*last)),
    }


def _prior(weights: Weights, key: str, channels: int, *, last: bool) -> State:
    """The prior of a half that leaves, or of the top."""
    if last:  # ours too has means, then log-scales, but reads twice as many zeros
        weight, bias, raw_log_scale = _zero_conv(weights, key, channels, 2 * channels)
        weight = torch.cat((weight, torch.zeros_like(weight)), 1)
        return _padded_with_ones(weight, bias, raw_log_scale)
    parts = _zero_conv(weights, key, channels // 2, channels)
    return _padded_with_ones(*(interleaved(*part.chunk(2)) for part in parts))


def _zero_conv(weights: Weights, key: str, inputs: int, outputs: int) -> tuple[Tensor, ...]:
    """Weight, bias and log-scale over 3."""
    return (
        weights.take(f"{key}.conv.weight", outputs, inputs, 3, 3),
        weights.take(f"{key}.conv.bias", outputs),
        weights.take(f"{key}.scale", 1, outputs, 1, 1).flatten(),
    )


def _padded_with_ones(weight: Tensor, bias: Tensor, raw_log_scale: Tensor) -> State:
    """Ones around every channel meet the sum of the channels' weights."""
    return zero_conv(weight, bias, raw_log_scale, ring=weight.double().sum(1))
