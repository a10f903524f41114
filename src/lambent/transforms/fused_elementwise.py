"""Elementwise maps as one step of autograd, where their way back is written out."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from lambent.nn.fast import takes_fast_path
from lambent.transforms.elementwise import Additive, Affine, Elementwise, SigmoidAffine
from lambent.transforms.elementwise_vjp import elementwise_vjp

_WRITTEN_OUT = (Additive, Affine, SigmoidAffine)


def fused_forward(g: Elementwise, x: Tensor, params: Tensor) -> tuple[Tensor, Tensor]:
    """What ``g.forward`` gives; on the fast path in one step, if its way back is written out.

    The gradient of the parameters lies in memory as they do.

    Args:
        g: The map.
        x: ``(...)``.
        params: ``(..., k)``.

    Returns:
        The value and the log-derivative, both ``(...)``.
    """
    if not (isinstance(g, _WRITTEN_OUT) and takes_fast_path(x)):
        return g.forward(x, params)
    result: tuple[Tensor, Tensor] = _Forward.apply(g, x, params)  # type: ignore[no-untyped-call]
    return result


class _Forward(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, g: Elementwise, x: Tensor, params: Tensor) -> tuple[Tensor, Tensor]:
        y, log_derivative = g.forward(x, params)
        ctx.g = g
        ctx.save_for_backward(x, params, y)
        return y, log_derivative

    @staticmethod
    def backward(ctx: Any, grad: Tensor, grad_log: Tensor) -> tuple[Any, ...]:
        x, params, y = ctx.saved_tensors
        if torch.is_grad_enabled():  # a second derivative is wanted
            leaves = [t for t in (x, params) if t.requires_grad]
            pairs = zip(ctx.g.forward(x, params), (grad, grad_log), strict=True)
            results, grads = zip(*(pair for pair in pairs if pair[0].requires_grad), strict=True)
            found = iter(torch.autograd.grad(results, leaves, grads, create_graph=True))
            return None, *(next(found) if t.requires_grad else None for t in (x, params))
        return None, *elementwise_vjp(ctx.g, y, params, grad, grad_log, lambda: x)
