"""Fixed points of maps, with the gradients of the implicit function theorem."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

Map = Callable[[Tensor], Tensor]


def fixed_point(step: Map, start: Tensor, *, passes: int, tolerance: float = 0.0) -> Tensor:
    r"""``x`` with ``x = step(x)``, by ``x <- step(x)`` from ``start``.

    It stops as soon as no number moves by more than ``tolerance (1 + |x|)``, or after ``passes``
    passes, which the caller knows to be enough. What it computed on the way is not kept: with
    ``x = h(x, a)`` the gradients are those of ``dx/da = (1 - dh/dx)^-1 dh/da``, whose product with
    a vector is a fixed point again, ``u <- g + (dh/dx)^T u``, found in as many passes. First
    derivatives only.

    Args:
        step: The map; what it reads beside ``x`` gets gradients.
        start: Where to begin.
        passes: The most passes.
        tolerance: 0 goes on until nothing changes at all.

    Returns:
        The fixed point, of the shape of ``start``.

    References:
        S. Bai et al., "Deep Equilibrium Models", 2019, arXiv:1909.01377, theorem 1.
    """
    with torch.no_grad():
        x = _settle(step, start.detach(), passes - 1, tolerance)
    out = step(x)
    if not out.requires_grad:
        return out
    with torch.enable_grad():
        inner = x.detach().requires_grad_()
        again = step(inner)

    def solve(grad: Tensor | None) -> Tensor | None:
        if grad is None:  # autograd's word for 0
            return None
        if torch.is_grad_enabled():
            raise RuntimeError("a fixed point has first derivatives only")

        def back(u: Tensor) -> Tensor:
            (through,) = torch.autograd.grad(again, inner, u, retain_graph=True, allow_unused=True)
            return grad if through is None else grad + through

        return _settle(back, grad, passes, tolerance)

    if again.requires_grad:
        out.register_hook(solve)
    return out


def _settle(step: Map, x: Tensor, passes: int, tolerance: float) -> Tensor:
    for _ in range(passes):
        before, x = x, step(x)
        if bool(((x - before).abs() <= tolerance * (1 + x.abs())).all()):
            break
    return x
