"""The conditioner of Glow's couplings."""

from __future__ import annotations

from typing import Any, Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from lambent.nn.affine import ChannelAffine
from lambent.nn.checkpoint import Recompute, wide_layers
from lambent.nn.context import context_vector
from lambent.nn.conv import BorderConv2d, ZeroConv2d
from lambent.nn.fast import is_plain, takes_fast_path
from lambent.nn.folding import Weights
from lambent.nn.grid import Grid
from lambent.nn.wide import Wide
from lambent.types import Context

Norm = Literal["actnorm", "bias"]


class CouplingNet(nn.Module):
    r"""Glow's coupling network: 3x3 convolution, ReLU, 1x1, ReLU, zero 3x3 convolution.

    Each hidden convolution is followed by a data-initialised scale and shift (``norm="actnorm"``)
    or has a plain bias (``norm="bias"``). With ``context_features`` a linear function of the
    context vector is added to each hidden layer before its ReLU.

    On the fast path the convolutions are matrix products with the norms folded in. With
    ``recompute="checkpoint"`` the backward pass rebuilds the hidden layers on either path, save
    inside ``lambent.plain()`` and under torch.compile, which keeps what it sees fit.

    Args:
        in_channels: Channels it reads.
        out_channels: Channels it puts out.
        width: Hidden channels.
        norm: What follows a hidden convolution.
        border: Whether the 3x3 convolutions see the border.
        log_scale_factor: Factor of every learned log-scale.
        context_features: Size of the context vector, where there is one.
        dropout: Chance that a hidden channel is dropped in training.
        recompute: Whether the backward pass finds the hidden layers kept or rebuilds them.

    Shape:
        ``(b, in_channels, h, w)`` and ``(b, context_features)`` to ``(b, out_channels, h, w)``.
    """

    recompute: Recompute

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
        recompute: Recompute = "never",
    ) -> None:
        super().__init__()
        plain = norm == "bias"
        self.first = BorderConv2d(in_channels, width, bias=plain, border=border)
        self.second = nn.Linear(width, width, bias=plain)
        nn.init.normal_(self.second.weight, std=0.05)
        if plain:
            nn.init.zeros_(self.second.bias)
        self.norms = nn.ModuleList(
            ChannelAffine(width, log_scale_factor=log_scale_factor)
            for _ in range(0 if plain else 2)
        )
        self.context_features = context_features
        if context_features is not None:
            self.shift = nn.Linear(context_features, 2 * width)
        self.dropout = dropout
        self.last = ZeroConv2d(
            width, out_channels, border=border, log_scale_factor=log_scale_factor
        )
        self.recompute = recompute

    def forward(self, a: Tensor, context: Context | None = None) -> Tensor:
        """The parameters of the coupling."""
        if takes_fast_path(a):
            lying = a.transpose(0, 1)
            params = wide_layers(lying.flatten(1), Grid.of(lying), self.wide(a, context))
            return params.view(-1, *lying.shape[1:]).transpose(0, 1)
        inputs = (a, self._shifts(context), self._gates(a))
        keeps = torch.compiler.is_compiling() or is_plain() or not torch.is_grad_enabled()
        if self.recompute == "never" or keeps:
            return self._by_convolutions(*inputs)
        y: Tensor = checkpoint(self._by_convolutions, *inputs, use_reentrant=False)
        return y

    def _by_convolutions(
        self, a: Tensor, shifts: tuple[Tensor, ...], gates: Tensor | None
    ) -> Tensor:
        """The plain path, layer by layer."""
        h = self.first(a)
        for layer in range(2):
            if layer:
                h = F.conv2d(h, self.second.weight[:, :, None, None], self.second.bias)
            if len(self.norms):
                h = self.norms[layer](h)
            if shifts:
                h = h + shifts[layer][:, :, None, None]
            h = F.relu(h)
            if gates is not None:
                h = h * gates[layer, :, 0, :, None, None]
        return self.last(h)  # type: ignore[no-any-return]

    def _shifts(self, context: Context | None) -> tuple[Tensor, ...]:
        """What the context adds to either hidden layer, each ``(b, width)``; nothing without."""
        if self.context_features is None:
            return ()
        return self.shift(context_vector(context, self.context_features)).chunk(2, -1)  # type: ignore[no-any-return]

    def _gates(self, a: Tensor) -> Tensor | None:
        """What dropout multiplies the hidden channels by, ``(2, b, 1, width)``, in training."""
        if not (self.dropout and self.training):
            return None
        return F.dropout(a.new_ones(2, len(a), 1, len(self.second.weight)), self.dropout)

    def wide(self, a: Tensor, context: Context | None = None) -> Wide:
        """What the fast path takes for an input ``(b, in_channels, h, w)`` and a context."""
        layers: list[Any] = list(self.norms) if len(self.norms) else [self.first, self.second]
        last: Any = self.last
        raws: list[Any] = [norm.raw_log_scale for norm in self.norms] or [None, None]
        weights = Weights(
            first=self.first.weight,
            bias1=layers[0].bias,
            raw1=raws[0],
            second=self.second.weight,
            bias2=layers[1].bias,
            raw2=raws[1],
            last=last.conv.weight,
            bias=last.conv.bias,
            raw=last.raw_log_scale,
        )
        return Wide(
            weights=weights,
            factor=self.last.log_scale_factor,
            shifts=self._shifts(context),
            gates=self._gates(a),
            keep=self.recompute == "never" and torch.is_grad_enabled(),
        )
