"""Backward passes that rebuild what forward did not keep."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from lambent.types import Context, PerSample, X, Z

if TYPE_CHECKING:
    from lambent.core.transform import Transform


class Rebuilt(NamedTuple):
    """A step's input, found from its output, and the gradients of what the step read."""

    x: Tensor
    """The input, ``(b, *x)``."""
    grad_x: Tensor
    """Its gradient."""
    grad_context: tuple[Tensor | None, ...]
    """The gradient of each tensor of the context; None where there is none."""
    grads: dict[nn.Parameter, Tensor]
    """The gradients of the step's parameters."""


def context_tensors(context: Context | None) -> tuple[Tensor, ...]:
    """The tensors of a context."""
    if context is None:
        return ()
    return context if isinstance(context, tuple) else (context,)


def like_context(parts: Sequence[Tensor], context: Context | None) -> Context | None:
    """Tensors in the form of a context: none, one, or a tuple."""
    if context is None:
        return None
    return tuple(parts) if isinstance(context, tuple) else parts[0]


def with_gradient(tensor: Tensor) -> Tensor:
    """The same values as a leaf of a new graph, which wants a gradient if they are floats."""
    return tensor.detach().requires_grad_(tensor.is_floating_point())


def gradients(
    outputs: tuple[Tensor, ...],
    grad_outputs: tuple[Tensor, ...],
    inputs: Sequence[Tensor],
) -> list[Tensor | None]:
    """The vector-Jacobian product of some outputs; None for inputs that they do not depend on."""
    pairs = [(y, g) for y, g in zip(outputs, grad_outputs, strict=True) if y.requires_grad]
    wanted = [x for x in inputs if x.requires_grad]
    if not pairs or not wanted:
        return [None] * len(inputs)
    ys, gs = zip(*pairs, strict=True)
    found = iter(torch.autograd.grad(ys, wanted, gs, allow_unused=True))
    return [next(found) if x.requires_grad else None for x in inputs]


def invert_and_vjp(
    step: Transform, z: Z, grad_z: Tensor, grad_log_det: PerSample, context: Context | None
) -> Rebuilt:
    """Invert a step, then run it forward again for the gradients: what serves any bijection.

    Args:
        step: The step.
        z: Its output, ``(b, *z)``.
        grad_z: The gradient of that.
        grad_log_det: The gradient of its contribution, ``(b,)``.
        context: What it is conditioned on.

    Returns:
        Its input, and the gradients of all it read.
    """
    with torch.no_grad():
        x = step.inverse(z, context)[0]
    with torch.enable_grad():
        leaf = with_gradient(x)
        parts = [with_gradient(part) for part in context_tensors(context)]
        again, log_det = step(leaf, like_context(parts, context))
    parameters = list(step.parameters())
    found = gradients((again, log_det), (grad_z, grad_log_det), [leaf, *parts, *parameters])
    grad_x, of_context, of_parameters = found[0], found[1 : 1 + len(parts)], found[1 + len(parts) :]
    return Rebuilt(
        x,
        torch.zeros_like(x) if grad_x is None else grad_x,
        tuple(of_context),
        {p: g for p, g in zip(parameters, of_parameters, strict=True) if g is not None},
    )


def chain_vjp(
    steps: Sequence[Transform],
    z: Z,
    grad_z: Tensor,
    grad_log_det: PerSample,
    context: Context | None,
    anchors: dict[int, Tensor] | None = None,
) -> Rebuilt:
    """The same for steps one after another, last to first.

    Args:
        steps: The steps.
        z: Output of the last, ``(b, *z)``.
        grad_z: The gradient of that.
        grad_log_det: The gradient of the summed contribution, ``(b,)``.
        context: What they are conditioned on.
        anchors: Inputs of some steps that were kept, by the step's position.

    Returns:
        The input of the first, and the gradients of all they read, summed over the steps.
    """
    of_context: list[Tensor | None] = [None] * len(context_tensors(context))
    grads: dict[nn.Parameter, Tensor] = {}
    for position in reversed(range(len(steps))):
        rebuilt = steps[position].invert_and_vjp(z, grad_z, grad_log_det, context)
        z = (anchors or {}).get(position, rebuilt.x)
        grad_z = rebuilt.grad_x
        of_context = [_sum(a, b) for a, b in zip(of_context, rebuilt.grad_context, strict=True)]
        for parameter, grad in rebuilt.grads.items():
            grads[parameter] = grads[parameter] + grad if parameter in grads else grad
    return Rebuilt(z, grad_z, tuple(of_context), grads)


def _sum(a: Tensor | None, b: Tensor | None) -> Tensor | None:
    return b if a is None else a if b is None else a + b


def run_rebuilding(
    steps: Sequence[Transform], x: X, context: Context | None, every: int | None
) -> tuple[Z, PerSample]:
    """Run steps forward keeping the output alone; the backward pass rebuilds the rest by inverses.

    Gradients of parameters are returned like those of any input, so hooks and data-parallel
    wrappers see them once.

    Args:
        steps: Bijections that are deterministic and cheap to invert.
        x: Events, ``(b, *x)``.
        context: What they are conditioned on.
        every: Keep the input of every so many steps too; of none if not given.

    Returns:
        The last step's output and the summed contribution.
    """
    parameters = _parameters(steps)
    parts = context_tensors(context)
    z, log_det = _Rebuilding.apply(steps, context, every, x, *parts, *parameters)  # type: ignore[no-untyped-call]
    return z, log_det


def _parameters(steps: Sequence[Transform]) -> tuple[Tensor, ...]:
    """Every parameter of some steps, once."""
    return tuple({p: None for step in steps for p in step.parameters()})


class _Rebuilding(torch.autograd.Function):
    """See :func:`run_rebuilding`."""

    @staticmethod
    def forward(
        ctx: Any,
        steps: Sequence[Transform],
        context: Context | None,
        every: int | None,
        x: Tensor,
        *inputs: Tensor,
    ) -> tuple[Tensor, Tensor]:
        kept: dict[int, Tensor] = {}
        total = torch.zeros(())
        for position, step in enumerate(steps):
            if every and position and position % every == 0:
                kept[position] = x
            x, log_det = step(x, context)
            total = total + log_det
        ctx.steps, ctx.context, ctx.kept = steps, context, tuple(kept)
        ctx.parameters = inputs[len(context_tensors(context)) :]
        ctx.save_for_backward(x, *inputs, *kept.values())  # parameters too: they must not change
        return x, total

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_z: Tensor, grad_log_det: Tensor) -> tuple[Any, ...]:
        z, *saved = ctx.saved_tensors
        count = len(context_tensors(ctx.context))
        anchors = dict(zip(ctx.kept, saved[len(saved) - len(ctx.kept) :], strict=True))
        context = like_context(saved[:count], ctx.context)
        if any(a is not b for a, b in zip(_parameters(ctx.steps), ctx.parameters, strict=True)):
            raise RuntimeError(
                "rebuilding by inverses needs the parameters that forward ran with, and they were "
                "replaced (by torch.func.functional_call, say); run forward in lambent.plain()"
            )
        rebuilt = chain_vjp(ctx.steps, z, grad_z, grad_log_det, context, anchors)
        grads = (rebuilt.grads.get(parameter) for parameter in ctx.parameters)
        return None, None, None, rebuilt.grad_x, *rebuilt.grad_context, *grads
