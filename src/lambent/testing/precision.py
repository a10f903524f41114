"""The law of precision: float32 is near float64, and autocast leaves the trunk wide."""

from __future__ import annotations

import copy

import torch
from torch import Tensor

from lambent.testing.law import expect, expect_close
from lambent.testing.subject import Subject, cast, cast_context, run_forward, run_inverse

AUTOCAST_TOLERANCE = 0.1  # bfloat16 keeps 8 bits; a few networks in a row lose a few of them


def float32_near_float64(subject: Subject) -> None:
    """Directions that draw nothing agree in float32 and float64."""
    narrow = copy.deepcopy(subject.transform).float()
    wide = copy.deepcopy(narrow).double()  # the same rounded parameters
    context = cast_context(subject.context, torch.float32)
    for name, stochastic, run, events in (
        ("forward", subject.transform.stochastic_forward, run_forward, subject.x),
        ("inverse", subject.transform.stochastic_inverse, run_inverse, subject.z),
    ):
        if stochastic:
            continue
        events = cast(events, torch.float32)
        found = run(narrow, events, context, subject.seed)
        expected = run(
            wide, cast(events, torch.float64), cast_context(context, torch.float64), subject.seed
        )
        tolerance = subject.float32_tolerance
        expect_close(found[0], expected[0], tolerance, f"{name} in float32 and float64")
        if subject.exact_value:
            expect_close(found[1], expected[1], tolerance, f"log_det of {name} in float32")


def autocast_leaves_trunk(subject: Subject) -> None:
    """Under autocast nothing is narrower than float32, and each direction undoes the other.

    Only networks may run in half precision; both directions then read the same parameters, so what
    one does the other still undoes.
    """
    transform = copy.deepcopy(subject.transform).float()
    context = cast_context(subject.context, torch.float32)
    x, z = cast(subject.x, torch.float32), cast(subject.z, torch.float32)
    with torch.autocast("cpu", torch.bfloat16):
        y, there = run_forward(transform, x, context, subject.seed)
        back, here = run_inverse(transform, y, context, subject.seed)
        drawn, other = run_inverse(transform, z, context, subject.seed)
    for what, value in (("forward's log_det", there), ("inverse's log_det", other)):
        expect(is_wide(value), f"under autocast {what} is {value.dtype}")
    for what, value in (("forward", y), ("inverse", drawn)):
        expect(
            is_wide(value) or not value.is_floating_point(),
            f"under autocast {what} gives {value.dtype}",
        )
    if not subject.transform.stochastic_inverse:
        expect_close(back, x, AUTOCAST_TOLERANCE, "inverse(forward(x)) under autocast and x")
        expect_close(there, -here, AUTOCAST_TOLERANCE, "V and minus the inverse's under autocast")


def is_wide(value: Tensor) -> bool:
    """Whether numbers are float32 or wider."""
    return value.dtype in (torch.float32, torch.float64)
