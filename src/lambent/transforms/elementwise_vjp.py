"""The way back through an elementwise map, for steps of autograd that are written out."""

from __future__ import annotations

from functools import singledispatch

import torch
from torch import Tensor

from lambent.transforms.elementwise import Additive, Affine, Elementwise, bounded


@singledispatch
def elementwise_vjp(
    g: Elementwise, x: Tensor, params: Tensor, grad_y: Tensor, grad_log_derivative: Tensor
) -> tuple[Tensor, Tensor]:
    """The gradients of ``x`` and ``params`` from those of ``g.forward(x, params)``.

    By autograd, unless the map has a way back of its own here.

    Args:
        g: The map.
        x: ``(...)``.
        params: ``(..., k)``.
        grad_y: Gradient of the value, ``(...)``.
        grad_log_derivative: Gradient of the log-derivative; broadcasts to ``(...)``.

    Returns:
        The gradients, ``(...)`` and ``(..., k)``.
    """
    x, params = x.detach().requires_grad_(), params.detach().requires_grad_()
    with torch.enable_grad():
        y, log_derivative = g.forward(x, params)
    outputs, grads = [y], [grad_y]
    if log_derivative.requires_grad:
        outputs.append(log_derivative)
        grads.append(grad_log_derivative.expand_as(log_derivative))
    found = torch.autograd.grad(outputs, (x, params), grads)
    return found[0], found[1]


@elementwise_vjp.register
def _(
    g: Additive, x: Tensor, params: Tensor, grad_y: Tensor, grad_log_derivative: Tensor
) -> tuple[Tensor, Tensor]:
    return grad_y, grad_y.unsqueeze(-1)


@elementwise_vjp.register
def _(
    g: Affine, x: Tensor, params: Tensor, grad_y: Tensor, grad_log_derivative: Tensor
) -> tuple[Tensor, Tensor]:
    shift, raw = params.unbind(-1)
    grad_params = torch.empty_like(params)
    grad_shift, grad_raw = grad_params.unbind(-1)
    log_scale = bounded(raw, g.bound)
    torch.mul(grad_y, log_scale.exp(), out=grad_shift)
    torch.add(x, shift, out=grad_raw).mul_(grad_shift).add_(grad_log_derivative)
    if g.bound is not None:
        grad_raw.mul_(1 - (log_scale / g.bound).square_())  # the derivative of the bound
    return grad_shift, grad_params
