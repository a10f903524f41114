"""Laws of shape: what comes out, batches, and reading backwards."""

from __future__ import annotations

import torch
from torch import Tensor

from lambent.testing.law import expect, expect_close
from lambent.testing.subject import Subject, context_rows, run_forward, run_inverse


def shapes_and_dtypes(subject: Subject) -> None:
    """Both directions give finite values of the promised shape, and one wide float an event."""
    transform, x, z = subject.transform, subject.x, subject.z
    y, log_det = subject.forward()
    _expect_result("forward", x, y, log_det, transform.forward_shape(tuple(x.shape[1:])))
    back, log_det = subject.inverse()
    _expect_result("inverse", z, back, log_det, transform.inverse_shape(tuple(z.shape[1:])))


def _expect_result(
    name: str, source: Tensor, result: Tensor, log_det: Tensor, shape: tuple[int, ...]
) -> None:
    batch = len(source)
    expect(
        tuple(result.shape) == (batch, *shape),
        f"{name} gave shape {tuple(result.shape)}, {name}_shape says {(batch, *shape)}",
    )
    expect(
        log_det.shape == (batch,),
        f"{name} gave a log_det of shape {tuple(log_det.shape)}, expected {(batch,)}",
    )
    wide = (torch.float64,) if source.dtype == torch.float64 else (torch.float32, torch.float64)
    expect(log_det.dtype in wide, f"{name} gave a log_det of {log_det.dtype}, expected {wide}")
    if source.is_floating_point() and result.is_floating_point():
        expect(result.dtype == source.dtype, f"{name} turned {source.dtype} into {result.dtype}")
    for what, value in (("event", result), ("log_det", log_det)):
        expect(bool(torch.isfinite(value).all()), f"{name} gave a {what} that is not finite")


def batch(subject: Subject) -> None:
    """A row of a batch is what the row alone gives; so a batch of one works."""
    transform = subject.transform
    directions = [
        ("forward", transform.stochastic_forward, run_forward, subject.x),
        ("inverse", transform.stochastic_inverse, run_inverse, subject.z),
    ]
    for name, stochastic, run, events in directions:
        if stochastic:
            continue
        together = run(transform, events, subject.context, subject.seed)
        for row in range(len(events)):
            one = slice(row, row + 1)
            alone = run(transform, events[one], context_rows(subject.context, one), subject.seed)
            expect_close(
                alone[0], together[0][one], subject.tolerance, f"{name} of row {row}, alone"
            )
            if subject.exact_value:
                expect_close(
                    alone[1], together[1][one], subject.tolerance, f"log_det of row {row}, alone"
                )


def backwards(subject: Subject) -> None:
    """``inv`` swaps the directions and the flags."""
    transform, inv = subject.transform, subject.transform.inv
    expect(
        (inv.stochastic_forward, inv.stochastic_inverse)
        == (transform.stochastic_inverse, transform.stochastic_forward or not transform.onto),
        "inv does not swap stochastic_forward and stochastic_inverse",
    )
    expect(inv.discrete == transform.discrete, "inv changes discrete")
    for name, swapped, direct in (
        ("forward", run_forward(inv, subject.z, subject.context, subject.seed), subject.inverse()),
        ("inverse", run_inverse(inv, subject.x, subject.context, subject.seed), subject.forward()),
    ):
        expect_close(swapped[0], direct[0], 0.0, f"inv.{name}")
        expect_close(swapped[1], direct[1], 0.0, f"log_det of inv.{name}")
    expect(
        inv.forward_shape(tuple(subject.z.shape[1:])) == tuple(subject.x.shape[1:])
        and inv.inverse_shape(tuple(subject.x.shape[1:])) == tuple(subject.z.shape[1:]),
        "inv does not swap forward_shape and inverse_shape",
    )
