"""Layers as they stand in a program: what they compute from their weights alone is a constant."""

from __future__ import annotations

import math
from functools import singledispatch

import torch
from torch import Tensor, nn

from lambent.core.compose import Compose
from lambent.core.transform import Transform, zero_log_det
from lambent.nn import LabelEncoder
from lambent.transforms import (
    ActNorm,
    ChannelMix,
    Coupling,
    Dequantise,
    MultiScale,
    Permute,
    Quantise,
    Rescale,
    Squeeze,
)
from lambent.transforms.linear import in_float64, mix_channels
from lambent.types import Context, PerSample, X, Z


class FrozenMix(Transform):
    """A 1x1 convolution whose weight, inverse and ``ln |det W|`` are constants.

    Args:
        mix: The convolution.

    Shape:
        ``(b, c, *)`` both ways.
    """

    cheap_inverse = True
    weight: Tensor
    back: Tensor

    def __init__(self, mix: ChannelMix) -> None:
        super().__init__()
        with torch.no_grad():
            weight = mix.weight().contiguous()
            back = torch.linalg.inv(in_float64(weight)).to(weight).contiguous()
            self.log_abs_det = float(mix.log_abs_det())
        self.register_buffer("weight", weight)
        self.register_buffer("back", back)

    def _log_det(self, x: Tensor) -> Tensor:
        return zero_log_det(x) + math.prod(x.shape[2:]) * self.log_abs_det

    def forward(self, x: X, context: Context | None = None) -> tuple[Z, PerSample]:
        """Mix the channels."""
        return mix_channels(x, self.weight), self._log_det(x)

    def inverse(self, z: Z, context: Context | None = None) -> tuple[X, PerSample]:
        """Unmix the channels."""
        return mix_channels(z, self.back), -self._log_det(z)


class FrozenPermute(Transform):
    """A permutation of the channels, with its inverse as a constant.

    Args:
        permute: The permutation.

    Shape:
        ``(b, c, *)`` both ways.
    """

    cheap_inverse = True
    order: Tensor
    back: Tensor

    def __init__(self, permute: Permute) -> None:
        super().__init__()
        self.register_buffer("order", permute.order)
        self.register_buffer("back", permute.order.argsort())

    def forward(self, x: X, context: Context | None = None) -> tuple[Z, PerSample]:
        """Permute."""
        return x.index_select(1, self.order), zero_log_det(x)

    def inverse(self, z: Z, context: Context | None = None) -> tuple[X, PerSample]:
        """Permute back."""
        return z.index_select(1, self.back), zero_log_det(z)


class FrozenLabels(nn.Module):
    """Labels looked up in a table, unchecked: a program cannot look at what it is given.

    Args:
        encoder: The encoder that has the table.

    Shape:
        ``(b,)`` int64 to ``(b, features)``.
    """

    table: Tensor

    def __init__(self, encoder: LabelEncoder) -> None:
        super().__init__()
        self.register_buffer("table", encoder.table.detach())

    def forward(self, labels: Tensor) -> Tensor:
        """Look the labels up."""
        return nn.functional.embedding(labels, self.table)


@singledispatch
def frozen(transform: Transform, path: str) -> Transform:
    """A layer as it stands in a program; the layer itself is left as it is.

    Register another function for a layer of your own that a program can hold.

    Args:
        transform: The layer.
        path: Its dotted name, for errors.

    Returns:
        A layer that computes the same, and shares what weights it can.

    Raises:
        ValueError: If the layer cannot stand in a program.
    """
    raise ValueError(
        f"flow: expected layers that can be exported, got {type(transform).__name__} at '{path}'"
    )


@frozen.register(ActNorm)
@frozen.register(Dequantise)
@frozen.register(Quantise)
@frozen.register(Rescale)
@frozen.register(Squeeze)
@frozen.register(Coupling)
def _as_it_is(transform: Transform, path: str) -> Transform:
    return transform


@frozen.register
def _(transform: ChannelMix, path: str) -> Transform:
    return FrozenMix(transform)


@frozen.register
def _(transform: Permute, path: str) -> Transform:
    return FrozenPermute(transform)


@frozen.register
def _(transform: Compose, path: str) -> Transform:
    """Of a fused level, its plain steps."""
    steps = {
        name: frozen(step, f"{path}.{name}")
        for name, step in zip(transform._modules, transform, strict=True)
    }
    return Compose(**steps)  # type: ignore[arg-type]


@frozen.register
def _(transform: MultiScale, path: str) -> Transform:
    levels = [frozen(level, f"{path}.level{i}") for i, level in enumerate(transform.levels)]  # type: ignore[arg-type]
    return MultiScale(*levels, shape=transform.shape)
