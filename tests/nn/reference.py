"""The coupling network as the plain composition of its parts."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

from lambent.nn import CouplingNet


def composition(net: CouplingNet, a: Tensor, context: Tensor | None = None) -> tuple[Tensor, ...]:
    """What the network says it computes, by library convolutions, and what enters each norm."""
    h = net.first(a)
    inputs = []
    second = net.second.weight[:, :, None, None]
    shifts: tuple[Tensor | float, ...] = (0.0, 0.0)
    if context is not None:
        shifts = net.shift(context)[:, :, None, None].chunk(2, 1)
    for layer, shift in enumerate(shifts):
        inputs.append(h)
        if len(net.norms):
            h = net.norms[layer](h)
        h = F.relu(h + shift)
        if layer == 0:
            h = F.conv2d(h, second, net.second.bias)
    return net.last(h), *inputs
