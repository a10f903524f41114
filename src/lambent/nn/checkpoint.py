"""Glow's coupling network in one step of autograd, with hidden layers that need not be kept."""

from __future__ import annotations

from typing import Any, Literal

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from lambent.nn import wide as passes
from lambent.nn.grid import Grid
from lambent.nn.wide import Wide

Recompute = Literal["never", "checkpoint"]
"""What a conditioner's backward pass rebuilds: nothing, or its hidden layers."""


def wide_layers(a: Tensor, grid: Grid, wide: Wide) -> Tensor:
    """The network as one step of autograd: ``(c, n)`` to ``(k, n)``."""
    y: Tensor = _WideLayers.apply(a, grid, wide.without_inputs(), *wide.inputs)  # type: ignore[no-untyped-call]
    return y


class _WideLayers(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, a: Tensor, grid: Grid, wide: Wide, *inputs: Any) -> Tensor:
        y, kept = passes.forward(a, grid, wide.of(inputs))
        ctx.grid, ctx.wide, ctx.count = grid, wide, 2 + len(inputs)
        ctx.save_for_backward(a, y, *inputs, *kept)
        return y

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Any, ...]:
        a, y, *inputs = ctx.saved_tensors[: ctx.count]
        kept = ctx.saved_tensors[ctx.count :]
        grad_a, others = passes.backward(a, ctx.grid, ctx.wide.of(inputs), kept, y, grad)
        return grad_a, None, None, *others
