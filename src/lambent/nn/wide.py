"""Glow's coupling network by matrix products, its passes forward and back written out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from lambent.nn.folding import Folded, Weights, fold, unfold
from lambent.nn.gemm import (
    Matrices,
    gather_taps,
    hidden_layers,
    hidden_layers_vjp,
    scatter_taps,
)
from lambent.nn.grid import Block, Grid, Piece, blocks, pieces

BLOCK = 2**19
"""Numbers of a hidden layer worked on at a time: 2 MiB, which stay in the cache; measured."""

PIECE = 2**12
"""Places that a network which keeps nothing takes at a time, by whole pictures: their windows are
many times as large as the pictures."""


class Wide(NamedTuple):
    """A network as the fast path takes it: what it reads beside its narrow input."""

    weights: Weights
    """The parameters."""
    factor: float
    """Factor of every raw log-scale."""
    shifts: tuple[Tensor, ...]
    """What the context adds to either hidden layer, each ``(b, width)``, or nothing."""
    gates: Tensor | None
    """What multiplies the hidden layers behind their ReLU, ``(2, b, 1, width)``; not negative."""
    keep: bool
    """Whether the hidden layers are kept for the backward pass."""

    @property
    def inputs(self) -> tuple[Tensor | None, ...]:
        """What wants gradients: shifts, then parameters."""
        return (*self.shifts, *self.weights)

    def of(self, inputs: Sequence[Any]) -> Wide:
        """The same of other tensors for its inputs."""
        count = len(self.shifts)
        return self._replace(shifts=tuple(inputs[:count]), weights=Weights(*inputs[count:]))

    def without_inputs(self) -> Wide:
        """What a graph may hold on to: autograd keeps the inputs."""
        return self._replace(shifts=(None,) * len(self.shifts), weights=None)  # type: ignore[arg-type]


def forward(a: Tensor, grid: Grid, wide: Wide) -> tuple[Tensor, tuple[Tensor | None, ...]]:
    """Run a network channel by channel.

    Args:
        a: ``(c, n)``.
        grid: The places.
        wide: The network.

    Returns:
        ``(k, n)``, and what :func:`backward` would otherwise make again: nothing unless
        ``wide.keep``.
    """
    w = wide.weights
    border, fixed = _border(w, grid)
    folded, offset = fold(w, wide.factor, border, wide.shifts)
    m = folded.matrices
    hidden = _hidden_space(a, w, keep=wide.keep)
    found = []
    for piece in _pieces(grid, wide):
        taps = gather_taps(a[:, piece.rows], piece.grid, fixed)
        out = a.new_empty(len(m.third), taps.shape[1])
        for block in blocks(piece, _block_rows(w)):
            h1, h2 = (_rows_of(h, block, keep=wide.keep) for h in hidden)
            hidden_layers(taps, m, wide.gates, block, h1, h2)
            torch.mm(m.third, h2.t(), out=out[:, block.rows])
        found.append(scatter_taps(out, piece.grid, offset))
    return _joined(found), (taps, *m, *folded[1:], *hidden) if wide.keep else ()


def backward(
    a: Tensor, grid: Grid, wide: Wide, kept: Sequence[Any], y: Tensor, grad: Tensor
) -> tuple[Tensor, tuple[Tensor | None, ...]]:
    """The gradients of what :func:`forward` read, from that of what it returned.

    Without anything kept, the hidden layers are rebuilt block by block.

    Args:
        a: What it read, ``(c, n)``.
        grid: The places.
        wide: The network.
        kept: What it kept.
        y: What it returned, ``(k, n)``.
        grad: The gradient of that.

    Returns:
        The gradient of ``a``, and of ``wide.inputs`` in their order.
    """
    w = wide.weights
    border, fixed = _border(w, grid)
    if wide.keep:
        kept_taps, *parts, h1, h2 = kept
        hidden = (h1, h2)
        folded = Folded(Matrices(*parts[:5]), *parts[5:])
    else:
        folded = fold(w, wide.factor, border, wide.shifts)[0]
        hidden = _hidden_space(a, w, keep=False)
    m = folded.matrices
    grads = Matrices(
        first=m.first.new_empty(m.first.shape[::-1]).t(),  # written tap by tap
        add1=None if m.add1 is None else torch.zeros_like(m.add1),
        second=torch.empty_like(m.second),
        add2=torch.zeros_like(m.add2),
        third=torch.empty_like(m.third),
    )
    space, found = _hidden_space(a, w, keep=False), []
    for piece in _pieces(grid, wide):
        taps = kept_taps if wide.keep else gather_taps(a[:, piece.rows], piece.grid, fixed)
        grad_out = gather_taps(grad[:, piece.rows], piece.grid)
        grad_taps = taps.new_empty(9 * len(a), taps.shape[1])
        for block in blocks(piece, _block_rows(w)):
            h1, h2 = (_rows_of(h, block, keep=wide.keep) for h in hidden)
            if not wide.keep:
                hidden_layers(taps, m, wide.gates, block, h1, h2)
            layers = (h1, h2)
            hidden_layers_vjp(m, grads, wide.gates, block, taps, grad_out, grad_taps, layers, space)
        found.append(scatter_taps(grad_taps, piece.grid))
    by_event = (len(y), grid.events, grid.places)
    of_weights, of_shifts = unfold(
        w, folded, wide.factor, border, wide.shifts, grads, y.view(by_event), grad.view(by_event)
    )
    return _joined(found), (*of_shifts, *of_weights)


def _border(w: Weights, grid: Grid) -> tuple[Tensor | None, Tensor]:
    """The border where a network sees it, and what is read beneath the windows: it, and ones."""
    ones = grid.border.new_ones(1, grid.places)
    return (grid.border, torch.cat((grid.border, ones))) if w.border else (None, ones)


def _pieces(grid: Grid, wide: Wide) -> list[Piece]:
    """What is worked on at a time: some pictures, or all if hidden layers are kept anyway."""
    return [Piece(0, grid)] if wide.keep else pieces(grid, PIECE)


def _joined(parts: list[Tensor]) -> Tensor:
    return parts[0] if len(parts) == 1 else torch.cat(parts, 1)


def _hidden_space(a: Tensor, w: Weights, *, keep: bool) -> tuple[Tensor, Tensor]:
    """Room for both hidden layers: for every place if they are kept, else for a block."""
    rows, width = a.shape[1], len(w.second)
    size = (rows if keep else min(rows, _block_rows(w)), width)
    return a.new_empty(size), a.new_empty(size)


def _block_rows(w: Weights) -> int:
    """How many places are worked on at a time."""
    return max(1, BLOCK // len(w.second))


def _rows_of(h: Tensor, block: Block, *, keep: bool) -> Tensor:
    """Where a block's part of a hidden layer is: at its own rows if kept, else at the first."""
    return h[block.rows] if keep else h[: block.size]
