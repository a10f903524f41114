"""Pieces of a foreign Glow as entries of our state dict."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from lambent.flows import GlowConfig

LOG_SCALE_FACTOR = 3.0
"""Factor of our learned log-scales; foreign ones without a factor are divided by it."""

State = dict[str, Tensor]


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What the caller says of a model, where its weights do not."""

    shape: tuple[int, int, int] | None
    """Channels, height, width."""
    grey_levels: int | None
    """Grey levels of each channel."""
    orders: tuple[Tensor, ...] | str | None
    """Orders of the channels, one for each step, or ``reverse``."""


@dataclass(frozen=True)
class Imported:
    """What a layout makes of a foreign state dict."""

    config: GlowConfig
    """The form of the flow."""
    state: State
    """Its weights, by the names of our state dict."""


def under(prefix: str, entries: Mapping[str, Tensor]) -> State:
    """The same entries with a prefix before their names."""
    return {f"{prefix}.{name}": value for name, value in entries.items()}


def level(index: int) -> str:
    """Where a level lies in our state dict."""
    return f"transform.scales.levels.{index}"


def channel_affine(bias: Tensor, log_scale: Tensor) -> State:
    """``y = (x + bias) exp(log_scale)``, initialised."""
    return {
        "bias": bias.flatten(),
        "raw_log_scale": log_scale.flatten().double() / LOG_SCALE_FACTOR,
        "initialized": torch.tensor(True),
    }


def zero_conv(
    weight: Tensor, bias: Tensor, raw_log_scale: Tensor, ring: Tensor | None = None
) -> State:
    """``y = (W x + bias) exp(3 raw_log_scale)``.

    Args:
        weight: ``(out, in, 3, 3)``.
        bias: ``(out,)``.
        raw_log_scale: One number for each output channel, in any shape.
        ring: ``(out, 3, 3)``, the weights of the border channel, where there is one.

    Returns:
        The entries of a :class:`lambent.nn.ZeroConv2d`.
    """
    return {
        "conv.weight": weight if ring is None else with_ring(weight, ring),
        "conv.bias": bias,
        "raw_log_scale": raw_log_scale.flatten(),
    }


def with_ring(weight: Tensor, ring: Tensor) -> Tensor:
    """The weight of a convolution with a border channel, its last input."""
    return torch.cat((weight, ring[:, None].to(weight)), 1)


def interleaved(first: Tensor, second: Tensor) -> Tensor:
    """``first_0, second_0, first_1, second_1, ...`` along the first axis."""
    return torch.stack((first, second), 1).flatten(0, 1)


def factors(
    key: str, *, permutation: Tensor, lower: Tensor, upper: Tensor, sign: Tensor, log_scale: Tensor
) -> State:
    """``W = P (L + I) (U + diag(sign e^s))``, of which only the strict triangles are kept.

    Args:
        key: Name of the layer, for the messages.
        permutation: ``P``.
        lower: ``L``, below the diagonal.
        upper: ``U``, above the diagonal.
        sign: Signs.
        log_scale: ``s``.

    Returns:
        The entries of a :class:`lambent.transforms.PLUConv1x1`.

    Raises:
        ValueError: If ``P`` is not a permutation, or a sign not 1 or -1.
    """
    ones = torch.ones(len(permutation), dtype=permutation.dtype)
    binary = bool(((permutation == 0) | (permutation == 1)).all())
    sums = permutation.sum(0).equal(ones) and permutation.sum(1).equal(ones)
    if not (binary and sums):
        raise ValueError(f"{key}: expected a permutation matrix as its factor P, got another")
    if not sign.abs().equal(torch.ones_like(sign)):
        raise ValueError(f"{key}: expected signs 1 and -1, got others")
    return {
        "permutation": permutation,
        "lower": lower.tril(-1),
        "upper": upper.triu(1),
        "sign": sign,
        "log_scale": log_scale,
    }


def free(key: str, weight: Tensor) -> State:
    """A 1x1 convolution by its weight, ``(c, c)``.

    Args:
        key: Name of the weight, for the message.
        weight: ``W``.

    Returns:
        The entries of a :class:`lambent.transforms.InvertibleConv1x1`.

    Raises:
        ValueError: If it is singular.
    """
    if not torch.linalg.slogdet(weight.double())[1].isfinite():
        raise ValueError(f"{key}: expected an invertible matrix, got a singular one")
    return {"matrix": weight}


def multiplied(mix: State) -> State:
    """A 1x1 convolution by factors as one by its weight; one by its weight as it is."""
    if "matrix" in mix:
        return mix
    lower = mix["lower"].double() + torch.eye(len(mix["lower"]), dtype=torch.float64)
    upper = mix["upper"].double() + torch.diag(mix["sign"] * mix["log_scale"].double().exp())
    return {"matrix": mix["permutation"].double() @ lower @ upper}


def columns_times(mix: State, sign: Tensor) -> State:
    """The 1x1 convolution after a flip of some channels' signs, ``W diag(sign)``."""
    if "matrix" in mix:
        return {"matrix": mix["matrix"] * sign}
    return {**mix, "upper": mix["upper"] * sign, "sign": mix["sign"] * sign}
