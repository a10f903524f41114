"""The law of purity: both directions only return; they change nothing."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from lambent.core.rebuild import context_tensors
from lambent.core.seed import seeded
from lambent.testing.law import expect, expect_close
from lambent.testing.subject import Subject
from lambent.types import Context


def purity(subject: Subject) -> None:
    """Arguments, state and torch's settings stay; two seeded calls are equal.

    A direction that is not declared stochastic draws nothing.
    """
    transform = subject.transform
    directions = [
        ("forward", transform.forward, subject.x, transform.stochastic_forward),
        ("inverse", transform.inverse, subject.z, transform.stochastic_inverse),
    ]
    for name, run, events, stochastic in directions:
        expect_pure(subject, name, run, events)
        if stochastic or not subject.exact_value:
            continue
        with seeded(subject.seed):
            before = torch.get_rng_state()
            run(events, subject.context)
            expect(
                torch.equal(before, torch.get_rng_state()),
                f"{name} draws random numbers but is not declared stochastic",
            )


def expect_pure(
    subject: Subject,
    name: str,
    run: Callable[[Tensor, Context | None], tuple[Tensor, ...]],
    events: Tensor,
) -> None:
    """Call twice under one seed and look for anything that changed.

    Args:
        subject: The subject.
        name: What the function is called in messages.
        run: The function.
        events: Its events; the context is the subject's.

    Raises:
        AssertionError: If an argument, the module's state or a global setting changed, or the two
            results differ.
    """
    arguments = [events, *context_tensors(subject.context)]
    state = subject.module.state_dict()
    watched = {f"argument {i} of {name}": value for i, value in enumerate(arguments)}
    watched |= {f"state '{key}'": value for key, value in state.items()}
    watched |= {f"buffer '{key}'": value for key, value in subject.module.named_buffers()}
    before = {key: value.clone() for key, value in watched.items()}
    settings = _settings()
    with seeded(subject.seed):
        first = run(events, subject.context)
    with seeded(subject.seed):
        second = run(events, subject.context)
    for key, value in watched.items():
        expect(torch.equal(before[key], value), f"{key} was changed in place")
    expect(
        list(subject.module.state_dict()) == list(state), f"{name} changed the state dict's keys"
    )
    expect(_settings() == settings, f"{name} changed torch's global settings")
    for one, two in zip(first, second, strict=True):
        expect_close(two, one, 0.0, f"two calls of {name} under one seed")


def _settings() -> tuple[object, ...]:
    return (
        torch.get_default_dtype(),
        torch.is_grad_enabled(),
        torch.get_num_threads(),
        torch.are_deterministic_algorithms_enabled(),
        torch.get_float32_matmul_precision(),
    )
