"""Gradients and weights that are not finite end a run; the norm of those that are."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

KEPT = "The checkpoints before it are kept."


def gradients(parameters: Sequence[nn.Parameter]) -> list[Tensor]:
    """The gradients that are there."""
    return [p.grad for p in parameters if p.grad is not None]


def gradient_norm(parameters: Sequence[nn.Parameter]) -> float:
    """The Euclidean norm of the gradients; not finite if and only if one of their numbers is not.

    Args:
        parameters: Some with, some without a gradient.

    Returns:
        The norm, right even where its square is too large for a float32.
    """
    found = gradients(parameters)
    norm = float(nn.utils.get_total_norm(found))
    if math.isfinite(norm) or not all(bool(g.isfinite().all()) for g in found):
        return norm
    largest = max(float(g.abs().max()) for g in found)
    return largest * float(nn.utils.get_total_norm([g / largest for g in found]))


@torch.no_grad()
def scale_gradients(parameters: Sequence[nn.Parameter], factor: float) -> None:
    """Multiply every gradient by a number, in place."""
    torch._foreach_mul_(gradients(parameters), factor)


def gradient_error(
    module: nn.Module, parameters: Sequence[nn.Parameter], step: int
) -> FloatingPointError:
    """What to raise where a gradient is not finite.

    The backward pass carries a NaN on to everything before its origin, so of the parameters of the
    transform that have one, the last is nearest to where it came from.

    Args:
        module: Knows the parameters by name.
        parameters: The parameters in question.
        step: Steps taken before.

    Returns:
        The error, naming step and parameter.
    """
    asked = set(parameters)
    names = [
        name.removeprefix("flow.")
        for name, p in module.named_parameters()
        if p in asked and p.grad is not None and not p.grad.isfinite().all()
    ]
    inside = [name for name in names if name.startswith("transform.")]
    return FloatingPointError(
        f"training step {step}: the loss is finite, the gradient of {(inside or names)[-1]} is "
        f"not. {KEPT}"
    )


def check_weights(module: nn.Module, states: Mapping[Tensor, Any], step: int) -> None:
    """Raise if a weight, or what the optimiser remembers of one, is not finite.

    Args:
        module: Holds the weights.
        states: The optimiser's state of each.
        step: Steps taken.

    Raises:
        FloatingPointError: If one is not; the message names step and parameter.
    """
    for name, p in module.named_parameters():
        held = {"weight": p, **states.get(p, {})}
        for what, value in held.items():
            if isinstance(value, Tensor) and not value.isfinite().all():
                raise FloatingPointError(
                    f"training step {step}: the {what} of {name.removeprefix('flow.')} is not "
                    f"finite. {KEPT}"
                )
