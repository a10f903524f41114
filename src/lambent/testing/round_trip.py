"""The law of the round trip: state dict, deep copy and repr keep what the transform is."""

from __future__ import annotations

import copy
from collections.abc import Callable

import torch
from torch import Tensor, nn

from lambent.testing.law import expect, expect_close
from lambent.testing.subject import Subject, perturbed, run_forward, run_inverse


def round_trip(subject: Subject) -> None:
    """A rebuilt module with the state dict, and a deep copy, are the same function."""

    def results(transform: nn.Module) -> list[Tensor]:
        return [
            *run_forward(transform, subject.x, subject.context, subject.seed),  # type: ignore[arg-type]
            *run_inverse(transform, subject.z, subject.context, subject.seed),  # type: ignore[arg-type]
        ]

    expect_round_trip(subject, results)


def expect_round_trip(subject: Subject, results: Callable[[nn.Module], list[Tensor]]) -> None:
    """Check copies of the subject's module by what they compute.

    Args:
        subject: The subject.
        results: Computes tensors from a module of the subject's kind.

    Raises:
        AssertionError: If a copy computes something else, shares parameters with the original, or
            the module has no readable repr.
    """
    expected = results(subject.module)
    other = subject.module if subject.rebuild is None else subject.rebuild()
    other = perturbed(other, 0.1, subject.seed + 1)
    other.load_state_dict(subject.module.state_dict())
    for found, value in zip(results(other), expected, strict=True):
        expect_close(found, value, 0.0, "a module rebuilt from the state dict and the original")
    twin = copy.deepcopy(subject.module)
    for found, value in zip(results(twin), expected, strict=True):
        expect_close(found, value, 0.0, "a deep copy and the original")
    with torch.no_grad():
        for parameter in twin.parameters():
            parameter.add_(1.0)
    for found, value in zip(results(subject.module), expected, strict=True):
        expect_close(found, value, 0.0, "the original before and after its deep copy changed")
    expect(type(subject.module).__name__ in repr(subject.module), "repr does not name the class")
