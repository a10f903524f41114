"""The layers of a ``flow.layers`` layout."""

from __future__ import annotations

from dataclasses import dataclass

from lambent.hub.parts import State, channel_affine, factors, free, under, zero_conv
from lambent.hub.weights import Weights


@dataclass(frozen=True, kw_only=True)
class Names:
    """What a layout calls things."""

    net: str
    """The coupling network of a step."""
    inner: str
    """What stands between a convolution's name and its ``weight``: ``.conv`` or nothing."""
    linear: str
    """The same of a linear layer: ``.linear`` or nothing."""
    lower: str
    """The lower factor of a 1x1 convolution."""
    upper: str
    """The upper factor."""
    top: str
    """The prior of the top."""


def actnorm(weights: Weights, key: str, channels: int) -> State:
    """An actnorm, of a step or of a hidden layer."""
    bias = weights.take(f"{key}.bias", 1, channels, 1, 1)
    return channel_affine(bias, weights.take(f"{key}.logs", 1, channels, 1, 1))


def mix(weights: Weights, key: str, channels: int, names: Names, *, plu: bool) -> State:
    """A 1x1 convolution, by factors or by its weight."""
    square = (channels, channels)
    if not plu:
        return free(f"{key}.weight", weights.take(f"{key}.weight", *square))
    weights.skip(f"{key}.l_mask", f"{key}.eye")
    return factors(
        key,
        permutation=weights.take(f"{key}.p", *square),
        lower=weights.take(f"{key}.{names.lower}", *square),
        upper=weights.take(f"{key}.{names.upper}", *square),
        sign=weights.take(f"{key}.sign_s", channels),
        log_scale=weights.take(f"{key}.log_s", channels),
    )


def network(weights: Weights, key: str, shape: tuple[int, int, int], inner: str) -> State:
    """A coupling network.

    Args:
        weights: The foreign state dict.
        key: Its name.
        shape: Input, hidden and output channels.
        inner: What stands between a convolution's name and its ``weight``.

    Returns:
        The entries of a :class:`lambent.nn.CouplingNet`.
    """
    inputs, width, outputs = shape
    second = weights.take(f"{key}.2{inner}.weight", width, width, 1, 1)
    return {
        "first.weight": weights.take(f"{key}.0{inner}.weight", width, inputs, 3, 3),
        "second.weight": second.flatten(1),
        **under("norms.0", actnorm(weights, f"{key}.0.actnorm", width)),
        **under("norms.1", actnorm(weights, f"{key}.2.actnorm", width)),
        **under("last", _zero_conv(weights, f"{key}.4", inner, width, outputs)),
    }


def split_prior(weights: Weights, key: str, channels: int, inner: str) -> State:
    """The prior of a half that leaves."""
    return under("conv", _zero_conv(weights, f"{key}.conv", inner, channels // 2, channels))


def top_prior(weights: Weights, channels: int, names: Names) -> tuple[State, int | None]:
    """The prior of the top, as far as it is learned.

    Args:
        weights: The foreign state dict.
        channels: Channels of the top.
        names: What the layout calls things.

    Returns:
        The entries of a :class:`lambent.nn.TopPrior`, and the number of classes if it reads them.

    Raises:
        ValueError: If it does not start from zeros.
    """
    if weights.take("prior_h", *weights.shape("prior_h", 4)).any():
        raise ValueError("prior_h: expected zeros, got others")
    state: State = {}
    if weights.any_under(names.top):
        twice = 2 * channels
        state |= under("conv", _zero_conv(weights, names.top, names.inner, twice, twice))
    if not weights.any_under("project_ycond"):
        return state, None
    key = f"project_ycond{names.linear}"
    classes = weights.shape(f"{key}.weight", 2)[1]
    state |= {
        "linear.linear.weight": weights.take(f"{key}.weight", 2 * channels, classes),
        "linear.linear.bias": weights.take(f"{key}.bias", 2 * channels),
        "linear.raw_log_scale": weights.take("project_ycond.logs", 2 * channels),
    }
    head = f"project_class{names.linear}"  # a classifier beside the flow
    weights.skip(f"{head}.weight", f"{head}.bias", "project_class.logs")
    return state, classes


def _zero_conv(weights: Weights, key: str, inner: str, inputs: int, outputs: int) -> State:
    """A zero convolution."""
    return zero_conv(
        weights.take(f"{key}{inner}.weight", outputs, inputs, 3, 3),
        weights.take(f"{key}{inner}.bias", outputs),
        weights.take(f"{key}.logs", outputs, 1, 1),
    )
