"""The law of the context: it is read, and it has one row for each event."""

from __future__ import annotations

import torch
from torch import Tensor

from lambent.core.rebuild import context_tensors
from lambent.testing.law import expect
from lambent.testing.subject import Subject, context_rows, run_forward, run_inverse
from lambent.types import Context


def context_law(subject: Subject) -> None:
    """Another context gives another result in both directions; a wrong batch raises.

    What is not onto may keep the context in its latents, where the inverse finds it.
    """
    context = subject.context
    if context is None:
        raise AssertionError("the law of the context needs a context")
    other = context_rows(context, torch.arange(-1, len(subject.x) - 1))
    for name, run, events in (
        ("forward", run_forward, subject.x),
        ("inverse", run_inverse, subject.z),
    ):
        here = run(subject.transform, events, context, subject.seed)
        there = run(subject.transform, events, other, subject.seed)
        expect(
            (name == "inverse" and not subject.transform.onto)
            or not all(torch.equal(a, b) for a, b in zip(here, there, strict=True)),
            f"{name} does not change with the context",
        )
        for wrong in wrong_batches(context):
            try:
                run(subject.transform, events, wrong, subject.seed)
            except ValueError:
                continue
            raise AssertionError(
                f"{name} of {len(events)} events took a context of "
                f"{[len(part) for part in context_tensors(wrong)]} rows"
            )


def wrong_batches(context: Context) -> list[Context]:
    """Contexts with one row, and with one row too many, in every part and in each part alone."""
    if isinstance(context, Tensor):
        return [context[:1], torch.cat((context, context[:1]))]
    wrong: list[Context] = [
        tuple(part[:1] for part in context),
        tuple(torch.cat((part, part[:1])) for part in context),
    ]
    for i, part in enumerate(context):
        wrong.append((*context[:i], part[:1], *context[i + 1 :]))
    return wrong
