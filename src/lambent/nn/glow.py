"""The three conditioners of Glow: of a coupling, of a split prior, of the top prior."""

from __future__ import annotations

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lambent.nn.affine import ChannelAffine
from lambent.nn.conv import BorderConv2d, ZeroConv2d, ZeroLinear
from lambent.nn.gemm import conv3x3_from_narrow, conv3x3_to_narrow
from lambent.types import Context

Norm = Literal["actnorm", "bias"]


def context_vector(context: Context | None, features: int) -> Tensor:
    """The context of a network that reads one vector for each event.

    Args:
        context: What the network was given.
        features: Size of the vectors.

    Returns:
        ``context``, ``(b, features)``.

    Raises:
        ValueError: If the context is not a tensor ``(b, features)``.
    """
    if not isinstance(context, Tensor) or context.ndim != 2 or context.shape[1] != features:
        given = tuple(context.shape) if isinstance(context, Tensor) else type(context).__name__
        raise ValueError(f"context: expected vectors of shape (b, {features}), got {given}")
    return context


class CouplingNet(nn.Module):
    r"""Glow's coupling network: 3x3 convolution, ReLU, 1x1, ReLU, zero 3x3 convolution.

    Computed as matrix products on ``(b, h w, width)``; the 1x1 convolution is a linear layer there.

    Each hidden convolution is followed by a data-initialised scale and shift (``norm="actnorm"``)
    or has a plain bias (``norm="bias"``). With ``context_features`` a linear function of the
    context vector is added to each hidden layer before its ReLU.

    Args:
        in_channels: Channels it reads.
        out_channels: Channels it puts out.
        width: Hidden channels.
        norm: What follows a hidden convolution.
        border: Whether the 3x3 convolutions see the border.
        log_scale_factor: Factor of every learned log-scale.
        context_features: Size of the context vector, where there is one.
        dropout: Chance that a hidden channel is dropped in training.

    Shape:
        ``(b, in_channels, h, w)`` and ``(b, context_features)`` to ``(b, out_channels, h, w)``.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        width: int = 512,
        norm: Norm = "actnorm",
        border: bool = True,
        log_scale_factor: float = 3.0,
        context_features: int | None = None,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        plain = norm == "bias"
        self.first = BorderConv2d(in_channels, width, bias=plain, border=border)
        self.second = nn.Linear(width, width, bias=plain)
        nn.init.normal_(self.second.weight, std=0.05)
        if plain:
            nn.init.zeros_(self.second.bias)
        self.norms = nn.ModuleList(
            ChannelAffine(width, log_scale_factor=log_scale_factor, channel_dim=-1)
            for _ in range(0 if plain else 2)
        )
        self.context_features = context_features
        if context_features is not None:
            self.shift = nn.Linear(context_features, 2 * width)
        self.dropout = dropout
        self.last = ZeroConv2d(
            width, out_channels, border=border, log_scale_factor=log_scale_factor
        )

    @property
    def initialized(self) -> Tensor:
        """Whether the norms are set; true where there are none."""
        norm = self.norms[-1] if len(self.norms) else None
        return torch.tensor(True) if norm is None else norm.initialized  # type: ignore[return-value]

    def initialize_from(self, a: Tensor, context: Context | None = None) -> None:
        """Set each norm from its own input on a batch, first to last."""
        shifts = self._shifts(context)
        h = conv3x3_from_narrow(self.first.pad(a), self.first.weight)
        for norm, shift in zip(self.norms, shifts, strict=True):
            norm.initialize_from(h)  # type: ignore[operator]
            h = self.second(F.relu(norm(h) + shift))

    def forward(self, a: Tensor, context: Context | None = None) -> Tensor:
        """The parameters of the coupling."""
        height, width = a.shape[2:]
        shift1, shift2 = self._shifts(context)
        scale1, bias1 = self._affine(0, self.first.bias)
        scale2, bias2 = self._affine(1, self.second.bias)
        weight1 = self.first.weight * scale1[:, None, None, None]
        h = conv3x3_from_narrow(self.first.pad(a), weight1)
        h = self._activate(h, bias1 + shift1)
        h = self._activate(F.linear(h, self.second.weight * scale2[:, None]), bias2 + shift2)
        y = conv3x3_to_narrow(h, self.last.conv.inside, (height, width))
        return (y + self.last.conv.offset(a)) * self.last.scale

    def _affine(self, layer: int, bias: Tensor | None) -> tuple[Tensor, Tensor]:
        """Scale and shift behind a hidden product; the scale is folded into the weights."""
        if bias is not None:
            return torch.ones_like(bias), bias
        norm = self.norms[layer]
        scale: Tensor = norm.log_scale.exp()  # type: ignore[operator]
        return scale, norm.bias * scale  # type: ignore[operator]

    def _shifts(self, context: Context | None) -> tuple[Tensor, Tensor]:
        """What the context adds to either hidden layer, each ``(b or 1, 1, width)``."""
        if self.context_features is None:
            none = self.second.weight.new_zeros(1, 1, len(self.second.weight))
            return none, none
        vector = context_vector(context, self.context_features)
        first, second = self.shift(vector)[:, None].chunk(2, -1)
        return first, second

    def _activate(self, h: Tensor, shift: Tensor) -> Tensor:
        """Shift, rectify, drop: ``(b, h w, width)`` to the same, in place."""
        h = h.add_(shift).relu_()
        if self.dropout and self.training:
            h = h * F.dropout(torch.ones_like(h[:, :1]), self.dropout)
        return h


class SplitPrior(nn.Module):
    r"""Mean and log-scale of the half that leaves a level, from the half that stays.

    Args:
        in_channels: Channels of the half that stays.
        channels: Channels of the half that leaves.
        border: Whether the convolution sees the border.
        log_scale_factor: Factor of the learned log-scale.
        context_features: Size of the context vector, where the prior reads one.

    Shape:
        ``(b, in_channels, h, w)`` to ``(b, 2 channels, h, w)``, mean and log-scale interleaved.
    """

    def __init__(
        self,
        in_channels: int,
        channels: int,
        *,
        border: bool = True,
        log_scale_factor: float = 3.0,
        context_features: int | None = None,
    ) -> None:
        super().__init__()
        self.conv = ZeroConv2d(
            in_channels, 2 * channels, border=border, log_scale_factor=log_scale_factor
        )
        self.context_features = context_features
        if context_features is not None:
            self.linear = ZeroLinear(
                context_features, 2 * channels, log_scale_factor=log_scale_factor
            )

    def forward(self, a: Tensor, context: Context | None = None) -> Tensor:
        """The parameters of the prior."""
        y: Tensor = self.conv(a)
        if self.context_features is not None:
            vector = context_vector(context, self.context_features)
            y = y + self.linear(vector)[:, :, None, None]
        return y


class TopPrior(nn.Module):
    r"""Mean and log-scale of the top latent, from nothing but the place and the context.

    As released: a zero convolution of a zero image, which is a learned bias and border term, plus
    a linear function of the context. The weights that meet the zeros never learn; they are kept
    because the released models count them.

    Args:
        channels: Channels of the top latent.
        learned: Whether the convolution is there; without it only the context speaks.
        border: Whether the convolution sees the border.
        log_scale_factor: Factor of the learned log-scale.
        context_features: Size of the context vector, where the prior reads one.

    Shape:
        ``(b, 0, h, w)`` to ``(b, 2 channels, h, w)``, mean and log-scale interleaved.
    """

    def __init__(
        self,
        channels: int,
        *,
        learned: bool = True,
        border: bool = True,
        log_scale_factor: float = 3.0,
        context_features: int | None = None,
    ) -> None:
        super().__init__()
        self.channels = channels
        self.conv = (
            ZeroConv2d(2 * channels, 2 * channels, border=border, log_scale_factor=log_scale_factor)
            if learned
            else None
        )
        self.context_features = context_features
        if context_features is not None:
            self.linear = ZeroLinear(
                context_features, 2 * channels, log_scale_factor=log_scale_factor
            )

    def forward(self, a: Tensor, context: Context | None = None) -> Tensor:
        """The parameters of the prior."""
        y = a.new_zeros(a.shape[0], 2 * self.channels, *a.shape[2:])
        if self.conv is not None:
            y = self.conv(y)
        if self.context_features is not None:
            vector = context_vector(context, self.context_features)
            y = y + self.linear(vector)[:, :, None, None]
        mean, log_std = y.chunk(2, 1)
        return torch.stack((mean, log_std), 2).flatten(1, 2)
