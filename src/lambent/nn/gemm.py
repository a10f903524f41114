"""3x3 convolutions as matrix products, for networks that are narrow outside and wide inside.

Narrow pictures lie channel by channel, ``(c, b, h, w)``; wide ones place by place,
``(b h w, width)``. The narrow side of a convolution is gathered from, or scattered to, its nine
taps, and the wide side is never laid out anew. ``benchmarks/coupling_net.py`` measures the gain.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor


def gather_taps(x: Tensor, *, border: bool = False) -> Tensor:
    """What each place sees through a 3x3 window, with zeros outside the picture.

    Args:
        x: ``(c, b, h, w)``.
        border: Whether one more channel, the last, is 1 outside the picture and 0 inside.

    Returns:
        ``(9 c, b h w)``, nine taps for each channel; ``(9 c + 9, b h w)`` with a border.
    """
    c, b, h, w = x.shape
    padded = x.new_zeros(c + border, b, h + 2, w + 2)
    inside = padded.narrow(2, 1, h).narrow(3, 1, w)
    inside[:c].copy_(x)
    if border:
        padded[c].fill_(1.0)
        inside[c].zero_()
    channel, event, row, column = padded.stride()
    windows = padded.as_strided(
        (c + border, 3, 3, b, h, w), (channel, row, column, event, row, column)
    )
    return windows.reshape(9 * (c + border), b * h * w)


def scatter_taps(taps: Tensor, b: int, h: int, w: int) -> Tensor:
    """The adjoint of :func:`gather_taps`: every window adds its taps to the places it saw.

    Args:
        taps: ``(9 c, b h w)``; used up.
        b: Events.
        h: Height.
        w: Width.

    Returns:
        ``(c, b, h, w)``.
    """
    c = len(taps) // 9
    windows = taps.view(c, 3, 3, b, h, w)
    windows[:, :, 0, ..., 0].zero_()  # what was seen outside the picture
    windows[:, :, 2, ..., -1].zero_()
    left, middle, right = taps.view(c, 3, 3, -1).unbind(2)
    middle[..., :-1].add_(left[..., 1:])  # a neighbour in the row is one place away
    middle[..., 1:].add_(right[..., :-1])
    rows = middle.view(c, 3, b, h, w)
    rows[:, 0, :, 0].zero_()
    rows[:, 2, :, -1].zero_()
    above, own, below = middle.unbind(1)
    x = own.clone()
    x[:, :-w].add_(above[:, w:])  # a neighbour in the column is one row away
    x[:, w:].add_(below[:, :-w])
    return x.view(c, b, h, w)


class Matrices(NamedTuple):
    """Two hidden layers between 3x3 windows: ``third relu(add2 + second relu(add1 + first x))``."""

    first: Tensor
    """``(width, 9 c)``."""
    add1: Tensor
    """``(width,)``, or ``(b, 1, width)`` where it differs between events."""
    second: Tensor
    """``(width, width)``."""
    add2: Tensor
    """As ``add1``."""
    third: Tensor
    """``(9 k, width)``."""


class Block(NamedTuple):
    """Some places of some events, which are neighbours in memory."""

    events: slice
    rows: slice

    @property
    def size(self) -> int:
        """How many rows."""
        return self.rows.stop - self.rows.start  # type: ignore[no-any-return]

    def by_event(self, rows: Tensor) -> Tensor:
        """The block's rows, ``(events, places, width)``."""
        return rows.view(self.events.stop - self.events.start, -1, rows.shape[1])


def blocks(events: int, places: int, rows: int) -> Iterator[Block]:
    """Cut ``events * places`` rows into blocks of about ``rows``, whole events where they fit."""
    if places > rows:
        for event in range(events):
            end = (event + 1) * places
            for start in range(event * places, end, rows):
                yield Block(slice(event, event + 1), slice(start, min(start + rows, end)))
        return
    group = rows // max(1, places)
    for start in range(0, events, group):
        stop = min(start + group, events)
        yield Block(slice(start, stop), slice(start * places, stop * places))


def hidden_layers(
    taps: Tensor, m: Matrices, gates: Tensor | None, block: Block, h1: Tensor, h2: Tensor
) -> None:
    """Both hidden layers of a block, written into ``h1`` and ``h2``, each ``(rows, width)``."""
    _affine(m.add1, block, taps[:, block.rows].t(), m.first, h1)
    _gate_(h1.relu_(), gates, 0, block)
    _affine(m.add2, block, h1, m.second, h2)
    _gate_(h2.relu_(), gates, 1, block)


def _affine(added: Tensor, block: Block, x: Tensor, weight: Tensor, out: Tensor) -> None:
    """``added + x weight^T`` into ``out``."""
    if added.ndim == 1:
        torch.addmm(added, x, weight.t(), out=out)
    else:
        block.by_event(out).copy_(added[block.events])
        out.addmm_(x, weight.t())


def hidden_layers_vjp(
    m: Matrices,
    grads: Matrices,
    gates: Tensor | None,
    block: Block,
    taps: Tensor,
    grad_out: Tensor,
    grad_taps: Tensor,
    hidden: tuple[Tensor, Tensor],
    space: tuple[Tensor, Tensor],
) -> None:
    """The chain rule on a block, last layer to first: adds to ``grads``.

    Args:
        m: The matrices.
        grads: Their gradients so far; ``add1`` and ``add2`` start at zero, the others at anything.
        gates: What multiplies the hidden layers.
        block: The block.
        taps: What the first layer reads, ``(9 c, b h w)``.
        grad_out: Gradient of what the third puts out, ``(9 k, b h w)``.
        grad_taps: Where the gradient of the taps goes; of as many channels as it has.
        hidden: The block's hidden layers.
        space: Room for their gradients.
    """
    h1, h2 = hidden
    grad1, grad2 = (s[: block.size] for s in space)
    so_far = float(block.rows.start > 0)
    g = grad_out[:, block.rows]
    grads.third.addmm_(g, h2, beta=so_far)
    torch.mm(g.t(), m.third, out=grad2)
    _rectify_(grad2, h2, gates, 1, block)
    _add_rows_(grads.add2, grad2, block)
    grads.second.addmm_(grad2.t(), h1, beta=so_far)
    torch.mm(grad2, m.second, out=grad1)
    _rectify_(grad1, h1, gates, 0, block)
    _add_rows_(grads.add1, grad1, block)
    grads.first.t().addmm_(taps[:, block.rows], grad1, beta=so_far)
    inside = m.first[:, : len(grad_taps)]
    torch.mm(inside.t(), grad1.t(), out=grad_taps[:, block.rows])


def _rectify_(grad: Tensor, h: Tensor, gates: Tensor | None, layer: int, block: Block) -> None:
    """The gradient before a ReLU from the one behind it and its gate, in place."""
    torch.ops.aten.threshold_backward.grad_input(grad, h, 0, grad_input=grad)
    _gate_(grad, gates, layer, block)


def _gate_(h: Tensor, gates: Tensor | None, layer: int, block: Block) -> None:
    """Multiply a block's rows by the gates of their events, in place."""
    if gates is not None:
        block.by_event(h).mul_(gates[layer, block.events])


def _add_rows_(total: Tensor, rows: Tensor, block: Block) -> None:
    """Add the gradient of a block's rows to that of what was added to them."""
    if total.ndim == 1:
        total.add_(rows.sum(0))
    else:
        total[block.events].add_(block.by_event(rows).sum(1, keepdim=True))
