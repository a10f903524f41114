"""One pass through masked layers, number after number: what is known so far, and the next step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Remembered(NamedTuple):
    """What a network passed step by step has computed so far."""

    inputs: tuple[Tensor, ...]
    """The numbers that are known, each ``(b, 1)``."""
    hidden: tuple[tuple[Tensor, ...], ...]
    """Of each hidden layer, the units of degree 1, 2, ..., each ``(b, units)``."""
    context: Tensor | None
    """What the context adds to the first hidden layer, ``(b, width)``."""


class Rows(NamedTuple):
    """What step ``i`` computes: hidden units ``first`` to ``end - 1``, then the parameters."""

    i: int
    first: int
    end: int
    params: int


class Part(NamedTuple):
    """Some units of a layer: what makes them, and where they are written."""

    weight: Tensor
    """``(units, columns)``."""
    bias: Tensor
    """``(units, 1)``."""
    units: Tensor
    """``(units, b)``."""


@dataclass(frozen=True)
class Written:
    """What a network has computed so far without gradients: steps write into one tensor a layer."""

    inputs: Tensor
    """``(d, b)``."""
    numbers: tuple[Tensor, ...]
    """Its rows."""
    hidden: tuple[Tensor, ...]
    """Each ``(width, b)``."""
    parts: tuple[tuple[Part, ...], ...]
    """Of each layer, what each step writes; of the last, the parameters of each number."""
    context: tuple[Tensor, ...] | None
    """What the context adds to each part of the first hidden layer, ``(units, b)``."""


def room(
    linears: Sequence[nn.Linear], ends: Sequence[int], like: Tensor, context: Tensor | None
) -> Written:
    """Room for what steps without gradients will write.

    Args:
        linears: The layers, the last of which gives the parameters.
        ends: How many units of a hidden layer are known at step 0, 1, ..., d - 1.
        like: Vectors ``(b, d)``.
        context: What the context adds to the first hidden layer, ``(b, width)``.

    Returns:
        The tensors, not yet written.
    """
    outputs = tuple(like.new_empty(len(linear.weight), len(like)) for linear in linears)
    grown = [end - first for first, end in zip((0, *ends[:-1]), ends, strict=True)]
    shares = [grown] * (len(linears) - 1) + [[len(outputs[-1]) // len(ends)] * len(ends)]
    parts = tuple(map(_parts, linears, outputs, shares))
    inputs = torch.empty_like(like.T)
    added = None if context is None else context.T.split(grown)
    return Written(inputs, inputs.unbind(0), outputs[:-1], parts, added)


def _parts(linear: nn.Linear, output: Tensor, share: list[int]) -> tuple[Part, ...]:
    """A layer in the parts that each step computes."""
    weight, bias = linear.weight.split(share), linear.bias[:, None].split(share)
    return tuple(map(Part, weight, bias, output.split(share)))


def write_step(
    rows: Rows, activation: nn.Module, previous: Tensor | None, so_far: Written
) -> Tensor:
    """Write down what number ``i - 1`` makes known.

    Args:
        rows: What to compute.
        activation: What follows the hidden layers.
        previous: Number ``i - 1``, ``(b,)``; nothing for the first.
        so_far: What the steps before wrote.

    Returns:
        The parameters of number ``i``, ``(b, k)``.
    """
    i, first, end, _ = rows
    if previous is not None:
        so_far.numbers[i - 1].copy_(previous)
    if end > first:
        read, columns = so_far.inputs, i
        for layer, hidden in enumerate(so_far.hidden):
            units = _write(so_far.parts[layer][i], read, columns)
            if layer == 0 and so_far.context is not None:
                units += so_far.context[i]
            torch.relu_(units) if isinstance(activation, nn.ReLU) else torch.tanh_(units)
            read, columns = hidden, end
    return _write(so_far.parts[-1][i], so_far.hidden[-1], end).T


def _write(part: Part, read: Tensor, columns: int) -> Tensor:
    """Some rows of a linear map of what is known; the mask lets all of it by."""
    weight, known = part.weight.narrow(1, 0, columns), read.narrow(0, 0, columns)
    return torch.addmm(part.bias, weight, known, out=part.units)


def grown_step(
    linears: Sequence[nn.Linear],
    activation: nn.Module,
    rows: Rows,
    previous: Tensor | None,
    so_far: Remembered,
) -> tuple[Tensor, Remembered]:
    """The same with gradients: what becomes known is put beside what is.

    Args:
        linears: The layers, the last of which gives the parameters.
        activation: What follows the others.
        rows: What to compute.
        previous: Number ``i - 1``, ``(b,)``; nothing for the first.
        so_far: What the step before returned.

    Returns:
        The parameters, ``(b, k)``, and what the next step needs.
    """
    i, first, end, params = rows
    inputs = so_far.inputs if previous is None else (*so_far.inputs, previous[:, None])
    hidden = so_far.hidden
    if end > first:
        read = torch.cat(inputs, 1) if inputs else hidden[0][0]
        grown = []
        for layer, (linear, chunks) in enumerate(zip(linears[:-1], hidden, strict=True)):
            weight = linear.weight[first:end, : read.shape[1]]  # the mask lets all of it by
            units = F.linear(read, weight, linear.bias[first:end])
            if layer == 0 and so_far.context is not None:
                units = units + so_far.context[:, first:end]
            grown.append((*chunks, activation(units)))
            read = torch.cat(grown[-1], 1)
        hidden = tuple(grown)
    read = torch.cat(hidden[-1], 1)
    of_number = slice(i * params, (i + 1) * params)
    last = linears[-1]
    found = F.linear(read, last.weight[of_number, : read.shape[1]], last.bias[of_number])
    return found, Remembered(inputs, hidden, so_far.context)
