"""How unevenly a flow stretches space: the singular values of its Jacobian."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from functools import partial
from typing import Literal

import torch
from torch import Tensor

from lambent.core.flow import Flow
from lambent.core.rebuild import context_tensors, like_context
from lambent.evaluate.bijective_part import BijectivePart, bijective_part
from lambent.evaluate.check_layer import as_dtype, context_as_dtype
from lambent.evaluate.lanczos import largest_singular
from lambent.nn import plain
from lambent.testing.jacobian import jacobian
from lambent.types import Context


@dataclass(frozen=True, kw_only=True)
class Conditioning:
    """What :func:`measure_conditioning` found, in float64 and on the CPU."""

    points: Tensor
    """The events as they come to those steps, ``(b, *)``."""
    singular_values: Tensor
    """Of each event, the largest first, ``(b, k)``: all of them if ``method`` is ``exact``, else
    the ``k / 2`` largest and the ``k / 2`` smallest."""
    most_stretched: Tensor
    """The direction of unit length that the flow stretches most, ``(b, *)``."""
    least_stretched: Tensor
    """That which it stretches least, or shrinks most, ``(b, *)``."""
    method: Literal["exact", "lanczos"]
    """Whether the Jacobian was made, or only multiplied by."""
    dims: int
    """Numbers of an event."""
    of: str
    """Which steps of the flow the Jacobian is of."""

    @property
    def condition(self) -> Tensor:
        """The condition number at each event, largest over smallest, ``(b,)``."""
        return self.singular_values[:, 0] / self.singular_values[:, -1]


def measure_conditioning(
    flow: Flow,
    x: Tensor,
    context: Context | None = None,
    *,
    exact_dims: int = 256,
    extremes: int = 4,
) -> Conditioning:
    r"""The singular values of the Jacobian ``dz/dx`` of a flow at events.

    ``log |det dz/dx|`` is the sum of their logs, and says nothing of how they differ. The condition
    number, largest over smallest, is the factor by which a relative error can grow on the way
    there and back. It is measured in float64.

    Where an event has few numbers the Jacobian is made, by as many backward passes as it has, for
    all events at once. Where it has many, the extremes are found event by event from products
    with the Jacobian (:func:`lambent.evaluate.lanczos.largest_singular`); the smallest as the
    largest of the inverse's Jacobian at the latent, where Lanczos' iteration is quick and exact.

    The Jacobian of a flow over integers is that of its steps after the noise
    (:func:`lambent.evaluate.bijective_part.bijective_part`), with the integer in the middle of its
    bin and in units of a grey level.

    Args:
        flow: The flow, on a device that has float64; it is left as it is.
        x: Events, ``(b, *event_shape)``.
        context: One row for each event.
        exact_dims: Up to so many numbers of an event the Jacobian is made.
        extremes: Beyond that, how many values are found at either end.

    Returns:
        The values, and the directions of the extremes.

    Raises:
        ValueError: If there are no events, they do not fit, or a number is out of range.
        MissingExtraError: If an event has many numbers and scipy is not installed.
        FloatingPointError: If the iteration breaks down, as on numbers that are not finite.

    Example:
        >>> from lambent.distributions import StandardNormal
        >>> from lambent.flows import linear_map
        >>> flow = Flow(linear_map(torch.diag(torch.tensor([2.0, 0.5]))), StandardNormal((2,)))
        >>> measure_conditioning(flow, torch.zeros(1, 2)).condition.round(decimals=3)
        tensor([4.], dtype=torch.float64)
    """
    if not len(x):
        raise ValueError("x: expected at least one event, got none")
    if extremes < 1:
        raise ValueError(f"extremes: expected at least 1, got {extremes}")
    if exact_dims < 2 * extremes:
        raise ValueError(f"exact_dims: expected at least 2 x {extremes} extremes, got {exact_dims}")
    wide = copy.deepcopy(flow).double().eval()
    with plain():
        with torch.no_grad():
            part = bijective_part(
                wide, as_dtype(x, torch.float64), context_as_dtype(context, torch.float64)
            )
        points = part.points
        exact = points[0].numel() <= exact_dims
        values, most, least = _all(part) if exact else _extremes(part, extremes)
    return Conditioning(
        points=points.detach().cpu(),
        singular_values=values,
        most_stretched=most.reshape(points.shape),
        least_stretched=least.reshape(points.shape),
        method="exact" if exact else "lanczos",
        dims=points[0].numel(),
        of=part.of,
    )


def _all(part: BijectivePart) -> tuple[Tensor, Tensor, Tensor]:
    """All singular values, and the first and last direction."""
    matrices = jacobian(part.transform, part.points, part.context).cpu()
    _, values, directions = torch.linalg.svd(matrices)
    return values, directions[:, 0], directions[:, -1]


def _extremes(part: BijectivePart, count: int) -> tuple[Tensor, Tensor, Tensor]:
    """Some of the largest and of the smallest, and the first and last direction."""
    values, most, least = [], [], []
    for i in range(len(part.points)):
        rows = [c[i : i + 1] for c in context_tensors(part.context)]
        context = like_context(rows, part.context)
        point = part.points[i : i + 1]
        with torch.no_grad():
            latent = part.transform.encode(point, context)
        large = largest_singular(partial(part.transform.encode, context=context), point, count)
        small = largest_singular(partial(part.transform.decode, context=context), latent, count)
        values.append(torch.cat((large.values, small.values.reciprocal().flip(0))))
        most.append(large.inputs[0])
        least.append(small.outputs[0])
    return torch.stack(values), torch.stack(most), torch.stack(least)
