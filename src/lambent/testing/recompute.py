"""Laws of backward passes that are written out: they give what autograd gives."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from lambent.core.rebuild import context_tensors, gradients, like_context, with_gradient
from lambent.core.seed import seeded
from lambent.nn.fast import plain
from lambent.testing.law import expect, expect_close
from lambent.testing.subject import Subject
from lambent.types import Context

PLAIN_TOLERANCE = 1e-12
"""Of the fast path against the plain one, in float64, relative to the largest value."""


def fast_is_plain(subject: Subject) -> None:
    """Both directions give on the fast path the values and gradients of the plain one."""
    directions = {"forward": (subject.transform, subject.x)}
    directions["inverse"] = (subject.transform.inverse, subject.z)  # type: ignore[assignment]
    for name, (run, events) in directions.items():
        fast = _values_and_gradients(subject, run, events)
        with plain():
            expected = _values_and_gradients(subject, run, events)
        for i, (found, value) in enumerate(zip(fast, expected, strict=True)):
            what = f"{name}, result {i} of the fast path and the plain one"
            expect((found is None) == (value is None), f"{what}: one has no gradient")
            if found is not None and value is not None:
                scale = max(1.0, float(value.detach().abs().max())) if value.numel() else 1.0
                expect_close(found / scale, value / scale, PLAIN_TOLERANCE, what)


def _values_and_gradients(
    subject: Subject, run: Callable[..., tuple[Tensor, Tensor]], events: Tensor
) -> Sequence[Tensor | None]:
    """Both results, and the gradients of events, context and parameters."""
    leaf = with_gradient(events)
    parts = [with_gradient(part) for part in context_tensors(subject.context)]
    with seeded(subject.seed):
        results = run(leaf, like_context(parts, subject.context))
    return [*results, *_gradients(subject, results, [leaf, *parts])]


def _gradients(
    subject: Subject, results: tuple[Tensor, ...], leaves: Sequence[Tensor]
) -> list[Tensor | None]:
    """Gradients of a random combination of results, for some leaves and all parameters."""
    inputs = [*leaves, *subject.transform.parameters()]
    return gradients(results, _weights(subject, results), inputs)


def _weights(subject: Subject, results: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    with seeded(subject.seed + 1):
        return tuple(torch.randn(r.shape, dtype=torch.float64) for r in results)


def rebuilds(subject: Subject) -> None:
    """``invert_and_vjp`` finds the event, and the gradients that autograd finds from it.

    Of integers there are no gradients, so nothing to rebuild them for.
    """
    if not subject.x.is_floating_point():
        return
    transform, context = subject.transform, subject.context
    leaf = with_gradient(subject.x)
    parts = [with_gradient(part) for part in context_tensors(context)]
    results = transform(leaf, like_context(parts, context))
    grad_x, *others = _gradients(subject, results, [leaf, *parts])
    grad_z, grad_log_det = _weights(subject, results)
    rebuilt = transform.invert_and_vjp(
        results[0].detach(), grad_z, grad_log_det, _detached(context)
    )
    parameters = list(transform.parameters())
    expect_close(rebuilt.x, subject.x, subject.tolerance, "the event that invert_and_vjp finds")
    found = [rebuilt.grad_x, *rebuilt.grad_context, *(rebuilt.grads.get(p) for p in parameters)]
    names = ["the event", *("the context" for _ in parts)]
    names += [f"'{name}'" for name, _ in transform.named_parameters()]
    for name, gradient, expected in zip(names, found, [grad_x, *others], strict=True):
        if gradient is None and expected is None:
            continue
        zero = torch.zeros_like(expected if gradient is None else gradient)  # type: ignore[arg-type]
        expect_close(
            zero if gradient is None else gradient,
            zero if expected is None else expected,
            subject.tolerance,
            f"the gradient of {name} that invert_and_vjp finds",
        )


def _detached(context: Context | None) -> Context | None:
    return like_context([part.detach() for part in context_tensors(context)], context)
