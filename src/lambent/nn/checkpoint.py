"""Glow's coupling network by matrix products, with hidden layers that need not be kept.

One pass forward and one back, written out; :func:`wide_layers` is the network in one step of
autograd, and the fused steps of a level call the passes themselves.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Literal, NamedTuple

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from lambent.nn.folding import Folded, Weights, fold, unfold
from lambent.nn.gemm import (
    Block,
    Matrices,
    blocks,
    gather_taps,
    hidden_layers,
    hidden_layers_vjp,
    scatter_taps,
)

Recompute = Literal["never", "checkpoint"]
"""What a conditioner's backward pass rebuilds: nothing, or its hidden layers."""

BLOCK = 2**19
"""Numbers of a hidden layer worked on at a time: 2 MiB, which stay in the cache; measured."""


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


def run(a: Tensor, wide: Wide) -> tuple[Tensor, tuple[Tensor | None, ...]]:
    """Run a network channel by channel, by matrix products.

    Args:
        a: ``(c, b, h, w)``.
        wide: The network.

    Returns:
        ``(k, b, h, w)``, and what :func:`run_vjp` would otherwise make again: nothing unless
        ``wide.keep``.
    """
    w = wide.weights
    _, b, *size = a.shape
    taps, edge = _taps_and_edge(a, w)
    folded = fold(w, wide.factor, edge, wide.shifts)
    third = folded.matrices.third
    hidden = _hidden_space(a, w, keep=wide.keep)
    out = a.new_empty(len(third), taps.shape[1])
    for block in _blocks(a, w):
        h1, h2 = (_rows_of(h, block, keep=wide.keep) for h in hidden)
        hidden_layers(taps, folded.matrices, wide.gates, block, h1, h2)
        torch.mm(third, h2.t(), out=out[:, block.rows])
    y = scatter_taps(out, b, *size)
    y.add_(folded.offset.view(-1, 1, *(size if len(edge) else (1, 1))))
    return y, (taps, *folded.matrices, *folded[1:], *hidden) if wide.keep else ()


def run_vjp(
    a: Tensor, wide: Wide, kept: Sequence[Any], grad: Tensor
) -> tuple[Tensor, tuple[Tensor | None, ...]]:
    """The gradients of what :func:`run` read, from that of what it returned.

    Without anything kept, the hidden layers are rebuilt block by block.

    Args:
        a: What it read, ``(c, b, h, w)``.
        wide: The network.
        kept: What it kept.
        grad: ``(k, b, h, w)``.

    Returns:
        The gradient of ``a``, and of ``wide.inputs`` in their order.
    """
    w = wide.weights
    if wide.keep:
        taps, *parts, h1, h2 = kept
        edge, hidden = taps[9 * len(a) :, : a.shape[2:].numel()], (h1, h2)
        folded = Folded(Matrices(*parts[:5]), *parts[5:])
    else:
        taps, edge = _taps_and_edge(a, w)
        folded = fold(w, wide.factor, edge, wide.shifts)
        hidden = _hidden_space(a, w, keep=False)
    m = folded.matrices
    grads = Matrices(
        first=m.first.new_empty(m.first.shape[::-1]).t(),  # written tap by tap
        add1=torch.zeros_like(m.add1),
        second=torch.empty_like(m.second),
        add2=torch.zeros_like(m.add2),
        third=torch.empty_like(m.third),
    )
    grad_out, space = gather_taps(grad), _hidden_space(a, w, keep=False)
    grad_taps = taps.new_empty(9 * len(a), taps.shape[1])
    for block in _blocks(a, w):
        h1, h2 = (_rows_of(h, block, keep=wide.keep) for h in hidden)
        if not wide.keep:
            hidden_layers(taps, m, wide.gates, block, h1, h2)
        layers = (h1, h2)
        hidden_layers_vjp(m, grads, wide.gates, block, taps, grad_out, grad_taps, layers, space)
    grad_offset = grad.sum(1).flatten(1)
    of_weights, of_shifts = unfold(w, folded, wide.factor, edge, wide.shifts, grads, grad_offset)
    return scatter_taps(grad_taps, *a.shape[1:]), (*of_shifts, *of_weights)


def wide_layers(a: Tensor, wide: Wide) -> Tensor:
    """:func:`run` as one step of autograd: ``(c, b, h, w)`` to ``(k, b, h, w)``."""
    y: Tensor = _WideLayers.apply(wide.without_inputs(), a, *wide.inputs)  # type: ignore[no-untyped-call]
    return y


class _WideLayers(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, wide: Wide, a: Tensor, *inputs: Any) -> Tensor:
        y, kept = run(a, wide.of(inputs))
        ctx.wide, ctx.count = wide, 1 + len(inputs)
        ctx.save_for_backward(a, *inputs, *kept)
        return y

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Any, ...]:
        a, *inputs = ctx.saved_tensors[: ctx.count]
        kept = ctx.saved_tensors[ctx.count :]
        grad_a, others = run_vjp(a, ctx.wide.of(inputs), kept, grad)
        return None, grad_a, *others


def _taps_and_edge(a: Tensor, w: Weights) -> tuple[Tensor, Tensor]:
    """What the first layer reads, ``(9 c, b h w)``, and of the border alone, ``(9 or 0, h w)``."""
    c, _, height, width = a.shape
    taps = gather_taps(a, border=w.first.shape[1] > c)
    return taps, taps[9 * c :, : height * width]


def _hidden_space(a: Tensor, w: Weights, *, keep: bool) -> tuple[Tensor, Tensor]:
    """Room for both hidden layers: for every place if they are kept, else for a block."""
    rows, width = a.shape[1:].numel(), len(w.second)
    size = (rows if keep else min(rows, _block_rows(w)), width)
    return a.new_empty(size), a.new_empty(size)


def _block_rows(w: Weights) -> int:
    """How many places are worked on at a time."""
    return max(1, BLOCK // len(w.second))


def _blocks(a: Tensor, w: Weights) -> Iterator[Block]:
    """The blocks to work in."""
    _, b, height, width = a.shape
    return blocks(b, height * width, _block_rows(w))


def _rows_of(h: Tensor, block: Block, *, keep: bool) -> Tensor:
    """Where a block's part of a hidden layer is: at its own rows if kept, else at the first."""
    return h[block.rows] if keep else h[: block.size]
