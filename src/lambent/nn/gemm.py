"""3x3 convolutions as matrix products, for networks that are narrow outside and wide inside.

Narrow pictures lie channel by channel, ``(c, n)``; wide ones place by place, ``(n, width)``, with
``n = b h w`` places. The narrow side of a convolution is gathered from, or scattered to, its nine
taps, and the wide side is never laid out anew. ``benchmarks/coupling_net.py`` measures the gain.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from lambent.nn.grid import Block, Grid


def gather_taps(x: Tensor, grid: Grid, fixed: Tensor | None = None) -> Tensor:
    """What each place sees through a 3x3 window, with zeros outside the picture.

    Args:
        x: ``(c, n)``.
        grid: The places.
        fixed: Rows to put behind them, the same for every picture, ``(f, h w)`` or ``(f, 1)``.

    Returns:
        ``(9 c, n)``, nine taps for each channel; ``(9 c + f, n)`` with rows behind them.
    """
    c, n = x.shape
    margin = grid.width + 1  # a tap is at most so many places away
    padded = F.pad(x, (margin, margin))
    windows = padded.as_strided((c, 3, 3, n), (n + 2 * margin, grid.width, 1, 1))
    taps = x.new_empty(9 * c + (0 if fixed is None else len(fixed)), n)
    inner = taps[: 9 * c].view(windows.shape).copy_(windows)
    _clear_outside_(inner.view(c, 3, 3, *grid.size))
    if fixed is not None:
        taps[9 * c :].view(len(fixed), grid.events, -1).copy_(fixed[:, None])
    return taps


def scatter_taps(taps: Tensor, grid: Grid, start: Tensor | None = None) -> Tensor:
    """The adjoint of :func:`gather_taps`: every window adds its taps to the places it saw.

    Args:
        taps: ``(9 c, n)``; used up.
        grid: The places.
        start: What to add to, the same for every picture, ``(c, h w)`` or ``(c, 1)``, if anything.

    Returns:
        ``(c, n)``.
    """
    w = grid.width
    seen = taps.view(-1, 3, 3, taps.shape[1])
    _clear_outside_(seen.view(-1, 3, 3, *grid.size))
    left, middle, right = seen.unbind(2)
    middle[..., :-1].add_(left[..., 1:])  # a neighbour in the row is one place away
    middle[..., 1:].add_(right[..., :-1])
    above, own, below = middle.unbind(1)
    by_event = own.view(-1, grid.events, grid.places)
    x = (by_event.clone() if start is None else by_event + start[:, None]).view(own.shape)
    x[:, :-w].add_(above[:, w:])  # a neighbour in the column is one row away
    x[:, w:].add_(below[:, :-w])
    return x


def _clear_outside_(taps: Tensor) -> None:
    """Set to zero what windows ``(c, 3, 3, b, h, w)`` see outside their picture."""
    taps[:, :, 0, ..., 0].zero_()
    taps[:, :, 2, ..., -1].zero_()
    taps[:, 0, :, :, 0].zero_()
    taps[:, 2, :, :, -1].zero_()


class Matrices(NamedTuple):
    """Two hidden layers between 3x3 windows: ``third relu(add2 + second relu(add1 + first x))``."""

    first: Tensor
    """``(width, 9 c + f)``."""
    add1: Tensor | None
    """``(b, 1, width)`` where it differs between events; what all share is in ``first``."""
    second: Tensor
    """``(width, width)``."""
    add2: Tensor
    """``(width,)``, or ``(b, 1, width)`` where it differs between events."""
    third: Tensor
    """``(9 k, width)``."""


def hidden_layers(
    taps: Tensor, m: Matrices, gates: Tensor | None, block: Block, h1: Tensor, h2: Tensor
) -> None:
    """Both hidden layers of a block, written into ``h1`` and ``h2``, each ``(rows, width)``."""
    _affine(m.add1, block, taps[:, block.rows].t(), m.first, h1)
    _gate_(h1.relu_(), gates, 0, block)
    _affine(m.add2, block, h1, m.second, h2)
    _gate_(h2.relu_(), gates, 1, block)


def _affine(added: Tensor | None, block: Block, x: Tensor, weight: Tensor, out: Tensor) -> None:
    """``added + x weight^T`` into ``out``."""
    if added is None:
        torch.mm(x, weight.t(), out=out)
    elif added.ndim == 1:
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
        taps: What the first layer reads of the piece, ``(9 c + f, n)``.
        grad_out: Gradient of what the third puts out, ``(9 k, n)``.
        grad_taps: Where the gradient of the taps goes, ``(9 c, n)``.
        hidden: The block's hidden layers.
        space: Room for their gradients.
    """
    h1, h2 = hidden
    grad1, grad2 = (s[: block.size] for s in space)
    so_far = float(not block.is_first)
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
    of_taps = m.first[:, : len(grad_taps)]
    torch.mm(of_taps.t(), grad1.t(), out=grad_taps[:, block.rows])


def _rectify_(grad: Tensor, h: Tensor, gates: Tensor | None, layer: int, block: Block) -> None:
    """The gradient before a ReLU from the one behind it and its gate, in place."""
    torch.ops.aten.threshold_backward.grad_input(grad, h, 0, grad_input=grad)
    _gate_(grad, gates, layer, block)


def _gate_(h: Tensor, gates: Tensor | None, layer: int, block: Block) -> None:
    """Multiply a block's rows by the gates of their events, in place."""
    if gates is not None:
        block.by_event(h).mul_(gates[layer, block.events])


def _add_rows_(total: Tensor | None, rows: Tensor, block: Block) -> None:
    """Add the gradient of a block's rows to that of what was added to them."""
    if total is None:
        return
    if total.ndim == 1:
        total.add_(rows.sum(0))
    else:
        total[block.events].add_(block.by_event(rows).sum(1, keepdim=True))
