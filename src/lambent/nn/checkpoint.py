"""Glow's coupling network with hidden layers that need not be kept.

One pass forward and one back, by pieces of the batch where nothing is kept; :func:`wide_layers` is
the network in one step of autograd, and the fused steps of a level call the passes themselves.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from lambent.nn import wide as whole
from lambent.nn.gemm import Grid
from lambent.nn.wide import Wide

Recompute = Literal["never", "checkpoint"]
"""What a conditioner's backward pass rebuilds: nothing, or its hidden layers."""

PIECE = 2**12
"""Places that a network which keeps nothing takes at a time, by whole pictures: their windows are
many times as large as the pictures."""


class Piece(NamedTuple):
    """What a network runs on at a time."""

    rows: slice
    """Where its places lie."""
    grid: Grid
    """Its places."""
    wide: Wide
    """The network for them."""


def _pieces(grid: Grid, wide: Wide) -> list[Piece]:
    """Some pictures after others; all at once if hidden layers are kept anyway."""
    group = max(1, PIECE // max(1, grid.places))
    if wide.keep or group >= grid.events:
        return [Piece(slice(None), grid, wide)]
    found = []
    for start in range(0, grid.events, group):
        stop = min(start + group, grid.events)
        rows = slice(start * grid.places, stop * grid.places)
        found.append(Piece(rows, grid.part(stop - start), wide.part(slice(start, stop))))
    return found


def run(a: Tensor, grid: Grid, wide: Wide) -> tuple[Tensor, tuple[Tensor | None, ...]]:
    """:func:`lambent.nn.wide.forward` by pieces."""
    pieces = _pieces(grid, wide)
    if len(pieces) == 1:
        return whole.forward(a, grid, wide)
    return torch.cat([whole.forward(a[:, p.rows], p.grid, p.wide)[0] for p in pieces], 1), ()


def run_vjp(
    a: Tensor, grid: Grid, wide: Wide, kept: Sequence[Any], y: Tensor, grad: Tensor
) -> tuple[Tensor, tuple[Tensor | None, ...]]:
    """:func:`lambent.nn.wide.backward` by pieces, whose gradients are added up."""
    pieces, shifts = _pieces(grid, wide), len(wide.shifts)
    if len(pieces) == 1:
        return whole.backward(a, grid, wide, kept, y, grad)
    found, of_shifts = [], []
    of_weights: list[Tensor | None] = []
    for p in pieces:
        part, others = whole.backward(
            a[:, p.rows], p.grid, p.wide, (), y[:, p.rows], grad[:, p.rows]
        )
        found.append(part)
        of_shifts.append(others[:shifts])
        more = others[shifts:]
        of_weights = list(map(_added, of_weights, more)) if of_weights else list(more)
    return torch.cat(found, 1), (*map(torch.cat, zip(*of_shifts, strict=True)), *of_weights)


def _added(total: Tensor | None, more: Tensor | None) -> Tensor | None:
    return None if total is None or more is None else total.add_(more)


def wide_layers(a: Tensor, wide: Wide, grid: Grid) -> Tensor:
    """:func:`run` as one step of autograd: ``(c, n)`` to ``(k, n)``."""
    y: Tensor = _WideLayers.apply(wide.without_inputs(), grid, a, *wide.inputs)  # type: ignore[no-untyped-call]
    return y


class _WideLayers(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, wide: Wide, grid: Grid, a: Tensor, *inputs: Any) -> Tensor:
        y, kept = run(a, grid, wide.of(inputs))
        ctx.wide, ctx.grid, ctx.count = wide, grid, 2 + len(inputs)
        ctx.save_for_backward(a, y, *inputs, *kept)
        return y

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Any, ...]:
        a, y, *inputs = ctx.saved_tensors[: ctx.count]
        kept = ctx.saved_tensors[ctx.count :]
        grad_a, others = run_vjp(a, ctx.grid, ctx.wide.of(inputs), kept, y, grad)
        return None, None, grad_a, *others
