"""The law of compilation: both directions compile whole and give the same."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import torch

from lambent.core.seed import seeded
from lambent.testing.gradient import Direction
from lambent.testing.law import expect_close
from lambent.testing.subject import Subject
from lambent.types import Context, X

Result = TypeVar("Result")


def run_compiled(
    run: Callable[[X, Context | None], Result], x: X, context: Context | None, seed: int
) -> Result:
    """Call a function compiled without graph breaks, by the backend that only traces.

    Args:
        run: The function.
        x: Its events.
        context: Its context.
        seed: Seed of its draws.

    Returns:
        What the function returns.

    Raises:
        AssertionError: If the compiler does not take the function whole.
    """
    from torch._dynamo.exc import TorchDynamoException  # a second of import, so only here

    torch.compiler.reset()
    whole = torch.compile(run, fullgraph=True, backend="eager")
    try:
        with seeded(seed):
            return whole(x, context)
    except TorchDynamoException as error:
        raise AssertionError(f"does not compile whole: {str(error).splitlines()[0]}") from error


def compile_law(subject: Subject) -> None:
    """``torch.compile(fullgraph=True)`` takes forward and inverse and changes no value."""
    for name, events in (("forward", subject.x), ("inverse", subject.z)):
        direction = Direction(subject.transform, name)
        with seeded(subject.seed):
            expected = direction(events, subject.context)
        found = run_compiled(direction, events, subject.context, subject.seed)
        for one, two in zip(found, expected, strict=True):
            expect_close(one, two, subject.tolerance, f"{name} compiled and plain")
