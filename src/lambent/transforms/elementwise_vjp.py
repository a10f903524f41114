"""The way back through an elementwise map, for steps of autograd that are written out."""

from __future__ import annotations

from collections.abc import Callable
from functools import singledispatch

import torch
from torch import Tensor

from lambent.transforms.elementwise import Additive, Affine, Elementwise, SigmoidAffine


@singledispatch
def elementwise_vjp(
    g: Elementwise,
    y: Tensor,
    params: Tensor,
    grad_y: Tensor,
    grad_log_derivative: Tensor,
    read: Callable[[], Tensor],
) -> tuple[Tensor, Tensor]:
    """The gradients of input and parameters from those of what ``g.forward`` put out.

    By autograd, unless the map has a way back of its own here, from what it put out.

    Args:
        g: The map.
        y: What it put out, ``(...)``.
        params: ``(..., k)``.
        grad_y: Gradient of that, ``(...)``.
        grad_log_derivative: Gradient of the log-derivative; broadcasts to ``(...)``.
        read: Gives what it read, ``(...)``.

    Returns:
        The gradients, ``(...)`` and ``(..., k)``.
    """
    leaf, params = read().detach().requires_grad_(), params.detach().requires_grad_()
    with torch.enable_grad():
        y, log_derivative = g.forward(leaf, params)
    outputs, grads = [y], [grad_y]
    if log_derivative.requires_grad:
        outputs.append(log_derivative)
        grads.append(grad_log_derivative.expand_as(log_derivative))
    found = torch.autograd.grad(outputs, (leaf, params), grads)
    return found[0], found[1]


@elementwise_vjp.register
def _(
    g: Additive,
    y: Tensor,
    params: Tensor,
    grad_y: Tensor,
    grad_log_derivative: Tensor,
    read: Callable[[], Tensor],
) -> tuple[Tensor, Tensor]:
    return grad_y, grad_y.unsqueeze(-1)


@elementwise_vjp.register
def _(
    g: Affine,
    y: Tensor,
    params: Tensor,
    grad_y: Tensor,
    grad_log_derivative: Tensor,
    read: Callable[[], Tensor],
) -> tuple[Tensor, Tensor]:
    grad_params = torch.empty_like(params)
    grad_shift, grad_raw = grad_params.unbind(-1)
    raw = params[..., 1]
    if g.bound is None:
        torch.mul(grad_y, raw.exp(), out=grad_shift)
        torch.mul(grad_y, y, out=grad_raw).add_(grad_log_derivative)
        return grad_shift, grad_params
    share = (raw / g.bound).tanh_()
    torch.mul(grad_y, (share * g.bound).exp_(), out=grad_shift)
    torch.mul(grad_y, y, out=grad_raw).add_(grad_log_derivative)
    grad_raw.mul_(1 - share.square_())  # the derivative of the bound
    return grad_shift, grad_params


@elementwise_vjp.register
def _(
    g: SigmoidAffine,
    y: Tensor,
    params: Tensor,
    grad_y: Tensor,
    grad_log_derivative: Tensor,
    read: Callable[[], Tensor],
) -> tuple[Tensor, Tensor]:
    grad_params = torch.empty_like(params)
    grad_shift, grad_raw = grad_params.unbind(-1)
    scale = (params[..., 1] + 2).sigmoid_()
    torch.mul(grad_y, scale, out=grad_shift)
    torch.mul(grad_y, y, out=grad_raw).add_(grad_log_derivative).mul_(1 - scale)
    return grad_shift, grad_params
