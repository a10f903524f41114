"""Laws of differentiation: gradients are right, and every parameter gets one."""

from __future__ import annotations

import fnmatch
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

import torch
from torch import Tensor, nn
from torch.autograd.gradcheck import GradcheckError, gradcheck

from lambent.core.compose import Compose
from lambent.core.rebuild import context_tensors
from lambent.core.seed import seeded
from lambent.core.transform import Transform
from lambent.nn.fast import plain
from lambent.testing.law import expect
from lambent.testing.subject import Subject
from lambent.types import Context


class Direction(nn.Module):
    """One direction of a transform as a module's forward, for what only takes that.

    Args:
        transform: The transform.
        name: ``forward`` or ``inverse``.
    """

    def __init__(self, transform: Transform, name: str) -> None:
        super().__init__()
        self.transform = transform
        self.name = name

    def forward(self, events: Tensor, context: Context | None = None) -> tuple[Tensor, Tensor]:
        """Run the direction."""
        if self.name == "forward":
            result: tuple[Tensor, Tensor] = self.transform(events, context)
            return result
        return self.transform.inverse(events, context)


def gradcheck_law(subject: Subject) -> None:
    """Gradients of both results agree with finite differences: of events, context, parameters."""
    for name, events in (("forward", subject.x), ("inverse", subject.z)):
        run, inputs = _as_function(subject, Direction(subject.transform, name), events)
        if not any(value.requires_grad for value in inputs):
            continue
        atol = max(1e-5, 10 * subject.tolerance)
        try:
            with _own_parameters(subject.transform):
                gradcheck(run, inputs, fast_mode=True, atol=atol, rtol=1e-4)
        except GradcheckError as error:
            raise AssertionError(f"gradcheck of {name}: {error}") from error


def _own_parameters(transform: Transform) -> AbstractContextManager[None]:
    """The plain path for what rebuilds: it cannot do with parameters lent to it.

    That both paths give the same gradients is a law of its own.
    """
    rebuilds = any(isinstance(m, Compose) and m.recompute != "never" for m in transform.modules())
    return plain() if rebuilds else nullcontext()


def _as_function(
    subject: Subject, direction: Direction, events: Tensor
) -> tuple[Callable[..., tuple[Tensor, ...]], tuple[Tensor, ...]]:
    """A direction as a function of events, all parameters in one vector, and contexts."""
    named = {key: p for key, p in direction.named_parameters() if p.requires_grad}
    sizes = [p.numel() for p in named.values()]
    flat = torch.cat([torch.zeros(0, dtype=torch.float64), *(p.flatten() for p in named.values())])
    given = context_tensors(subject.context)

    def run(events: Tensor, flat: Tensor, *given: Tensor) -> tuple[Tensor, ...]:
        context = given if isinstance(subject.context, tuple) else given[0] if given else None
        values = [v.view_as(p) for v, p in zip(flat.split(sizes), named.values(), strict=True)]
        parameters = dict(zip(named, values, strict=True))
        with seeded(subject.seed):
            results = torch.func.functional_call(
                direction, parameters, (events, context), tie_weights=False
            )
        return tuple(value for value in results if value.is_floating_point())

    leaves = [value.detach().clone() for value in (events, flat, *given)]
    for leaf in leaves:
        leaf.requires_grad_(leaf.is_floating_point() and leaf.numel() > 0)
    return run, tuple(leaves)


def gradient_reaches_parameters(subject: Subject) -> None:
    """Every parameter, but those declared, gets a gradient from forward and from inverse."""
    for name, events in (("forward", subject.x), ("inverse", subject.z)):
        direction = Direction(subject.transform, name)
        with seeded(subject.seed):
            results = direction(events, subject.context)
        if results[0].is_floating_point():  # through integers nothing flows
            expect_gradients(subject, subject.transform, results, name)


def expect_gradients(
    subject: Subject, module: nn.Module, results: tuple[Tensor, ...], name: str
) -> None:
    """Backpropagate a random combination of some results and look at every parameter.

    Args:
        subject: The subject, which says which parameters rightly get no gradient.
        module: The module whose parameters are meant.
        results: What was computed from them.
        name: What computed it, for messages.

    Raises:
        AssertionError: If a parameter's gradient is missing, not finite, or all zero; or if one
            that is declared to get none gets one.
    """
    with seeded(subject.seed + 1):
        loss = sum(
            (value * torch.randn(value.shape, dtype=value.dtype)).sum()
            for value in results
            if value.is_floating_point() and value.requires_grad
        )
    named = {key: p for key, p in module.named_parameters() if p.requires_grad}
    if not named:
        return
    if not isinstance(loss, Tensor):
        raise AssertionError(f"nothing that {name} returns depends on the parameters")
    gradients = torch.autograd.grad(loss, list(named.values()), allow_unused=True)
    for key, gradient in zip(named, gradients, strict=True):
        reached = gradient is not None and bool(gradient.any())
        if any(fnmatch.fnmatchcase(key, pattern) for pattern in subject.no_gradient):
            expect(not reached, f"'{key}' gets a gradient from {name}, declared to get none")
            continue
        expect(reached, f"'{key}' gets no gradient from {name}")
        expect(
            gradient is not None and bool(torch.isfinite(gradient).all()),
            f"the gradient of '{key}' from {name} is not finite",
        )
