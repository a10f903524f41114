"""Fully connected layers under masks: plainly, and as one step of autograd that skips zero blocks.

Where units are sorted by degree, a mask is zero to the right of a staircase. The fused layers take
the rows of a weight in blocks, and of each block the columns up to the last that any row may read;
on the way back they take the columns in blocks, and of each the rows from the first that reads it.
Units lie along the first axis, so that a block is one run of memory.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

_SIDE = 64  # rows and columns of a block, about, at least: smaller products are no faster

_BLOCKS = 4  # at most


class Block(NamedTuple):
    """Rows, or columns, of a mask, and an edge beyond which all of them are zero."""

    first: int
    end: int
    edge: int
    """Of rows: how many columns any of them reads; of columns: the first row that reads any."""


class Layers(NamedTuple):
    """What layers are made of, besides weights and biases."""

    masks: tuple[Tensor, ...]
    rows: tuple[tuple[Block, ...], ...]
    columns: tuple[tuple[Block, ...], ...]
    activation: nn.Module


def row_blocks(mask: Tensor) -> tuple[Block, ...]:
    """The blocks the rows of a mask are taken in.

    Args:
        mask: ``(rows, columns)``, of truths.

    Returns:
        Blocks that cover all that is not zero; where there are no values (meta), all there is.
    """
    rows, columns = mask.shape
    if mask.is_meta:
        return (Block(0, rows, columns),)
    count = max(1, min(_BLOCKS, rows // _SIDE, columns // _SIDE))
    ends = [rows * (i + 1) // count for i in range(count)]
    reach = (mask * torch.arange(1, columns + 1)).amax(1).tolist()
    return tuple(
        Block(first, end, int(max(reach[first:end])))
        for first, end in zip([0, *ends[:-1]], ends, strict=True)
    )


def column_blocks(mask: Tensor) -> tuple[Block, ...]:
    """The blocks the columns of a mask are taken in.

    Args:
        mask: ``(rows, columns)``, of truths.

    Returns:
        Blocks that cover all that is not zero; where there are no values (meta), all there is.
    """
    rows, columns = mask.shape
    turned = row_blocks(mask.T.flip(0, 1))  # from the last column and the last row on
    return tuple(Block(columns - end, columns - first, rows - edge) for first, end, edge in turned)


def plain_layers(
    x: Tensor, added: Tensor | None, layers: Layers, weights: Sequence[Tensor]
) -> Tensor:
    """Hidden layers and a linear last one.

    Args:
        x: What the first layer reads, ``(b, d)``.
        added: What is added to the first hidden layer before its activation.
        layers: Masks and activation.
        weights: Weight and bias of each layer in turn.

    Returns:
        What the last layer puts out.
    """
    h = x
    for i, mask in enumerate(layers.masks):
        h = F.linear(h, weights[2 * i] * mask, weights[2 * i + 1])
        if i < len(layers.masks) - 1:
            h = layers.activation(h if i or added is None else h + added)
    return h


def fused_layers(
    x: Tensor, added: Tensor | None, layers: Layers, weights: Sequence[Tensor]
) -> Tensor:
    """The same as :func:`plain_layers`, faster; rectifiers and hyperbolic tangents alone."""
    y: Tensor = _Fused.apply(layers, x, added, *weights)  # type: ignore[no-untyped-call]
    return y


class _Fused(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, layers: Layers, x: Tensor, added: Tensor | None, *weights: Tensor) -> Any:
        states = [x.T.contiguous()]
        masked = []
        for i, (mask, blocks) in enumerate(zip(layers.masks, layers.rows, strict=True)):
            weight, read = weights[2 * i] * mask, states[-1]
            y = read.new_empty(len(weight), read.shape[1])
            for first, end, edge in blocks:
                torch.mm(weight[first:end, :edge], read[:edge], out=y[first:end])
            y += weights[2 * i + 1][:, None]
            if i == 0 and added is not None:
                y += added.T
            if i < len(layers.masks) - 1:
                _act_(y, layers.activation)
            masked.append(weight)
            states.append(y)
        ctx.layers, ctx.conditional = layers, added is not None
        given = (x, *weights) if added is None else (x, added, *weights)
        ctx.count = len(given)
        ctx.save_for_backward(*given, *masked, *states[:-1])
        return states[-1].T

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:
        layers, depth, saved = ctx.layers, len(ctx.layers.masks), ctx.saved_tensors
        if torch.is_grad_enabled():  # a second derivative is wanted
            return (None, *_again(ctx, saved[: ctx.count], grad))
        masked, states = saved[ctx.count : ctx.count + depth], saved[ctx.count + depth :]
        grads: list[Tensor | None] = []
        g = grad.T.contiguous()
        for i in reversed(range(depth)):
            weight, read = masked[i], states[i]
            to_weight = torch.zeros_like(weight)
            to_read = torch.empty_like(read) if i or ctx.needs_input_grad[1] else None
            for first, end, edge in layers.columns[i]:
                torch.mm(g[edge:], read[first:end].T, out=to_weight[edge:, first:end])
                if to_read is not None:
                    torch.mm(weight[edge:, first:end].T, g[edge:], out=to_read[first:end])
            to_weight *= layers.masks[i]
            grads = [to_weight, g.sum(1), *grads]
            if i == 0:
                to_added = [g.T if ctx.needs_input_grad[2] else None]
                return None, None if to_read is None else to_read.T, *to_added, *grads
            assert to_read is not None
            _act_vjp_(to_read, read, layers.activation)
            g = to_read
        raise AssertionError


def _act_(y: Tensor, activation: nn.Module) -> None:
    """Apply an activation in place."""
    torch.relu_(y) if isinstance(activation, nn.ReLU) else torch.tanh_(y)


def _act_vjp_(grad: Tensor, y: Tensor, activation: nn.Module) -> None:
    """The way back through it in place, from what it put out."""
    if isinstance(activation, nn.ReLU):
        torch.ops.aten.threshold_backward.grad_input(grad, y, 0.0, grad_input=grad)
    else:
        torch.ops.aten.tanh_backward.grad_input(grad, y, grad_input=grad)


def _again(ctx: Any, given: tuple[Tensor, ...], grad: Tensor) -> list[Tensor | None]:
    """The gradients by the plain layers, to be differentiated again."""
    x, *rest = given
    added = rest.pop(0) if ctx.conditional else None
    y = plain_layers(x, added, ctx.layers, rest)
    leaves = [t for t in given if t.requires_grad]
    found = iter(torch.autograd.grad(y, leaves, grad, create_graph=True))
    grads = [next(found) if t.requires_grad else None for t in given]
    return grads if ctx.conditional else [grads[0], None, *grads[1:]]
