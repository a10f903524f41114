"""Laws of the pair: each direction undoes the other, and the contributions cancel."""

from __future__ import annotations

from lambent.testing.law import expect, expect_close
from lambent.testing.subject import Subject, run_forward, run_inverse


def left_inverse(subject: Subject) -> None:
    """``inverse(forward(x)) = x``; bit by bit where the transform is discrete."""
    z, _ = subject.forward()
    x, _ = run_inverse(subject.transform, z, subject.context, subject.seed)
    tolerance = 0.0 if subject.transform.discrete else subject.tolerance
    expect_close(x, subject.x, tolerance, "inverse(forward(x)) and x")


def right_inverse(subject: Subject) -> None:
    """``forward(inverse(z)) = z``; bit by bit where the transform is discrete."""
    x, _ = subject.inverse()
    z, _ = run_forward(subject.transform, x, subject.context, subject.seed)
    tolerance = 0.0 if subject.transform.discrete else subject.tolerance
    expect_close(z, subject.z, tolerance, "forward(inverse(z)) and z")


def sign(subject: Subject) -> None:
    """The contributions of a matched pair sum to zero."""
    transform, context, seed = subject.transform, subject.context, subject.seed
    if not transform.stochastic_inverse:
        z, there = subject.forward()
        _, back = run_inverse(transform, z, context, seed)
        expect_close(there, -back, subject.tolerance, "V of x and minus the inverse's")
    if not transform.stochastic_forward:
        x, back = subject.inverse()
        _, there = run_forward(transform, x, context, seed)
        expect_close(there, -back, subject.tolerance, "V and minus the inverse's of z")


def discrete(subject: Subject) -> None:
    """Integers become integers, and there is nothing to contribute."""
    z, there = subject.forward()
    _, back = subject.inverse()
    expect(
        not subject.x.is_floating_point() and not z.is_floating_point(),
        f"expected integers to integers, got {subject.x.dtype} to {z.dtype}",
    )
    expect(not bool(there.any() or back.any()), "expected a contribution of 0")


def likelihood(subject: Subject) -> None:
    """A transform that draws its latent must not claim an exact likelihood."""
    expect(
        subject.transform.likelihood in ("bound", "approximate"),
        f"z is drawn, but likelihood is '{subject.transform.likelihood}'",
    )


def code(subject: Subject) -> None:
    """``encode`` and ``decode`` are functions, and return what the flags promise."""
    transform, context = subject.transform, subject.context
    z = transform.encode(subject.x, context)
    expect_close(transform.encode(subject.x, context), z, 0.0, "two calls of encode")
    x = transform.decode(subject.z, context)
    expect_close(transform.decode(subject.z, context), x, 0.0, "two calls of decode")
    if not transform.stochastic_forward:
        forward, _ = subject.forward()
        expect_close(z, forward, subject.tolerance, "encode and forward")
    if transform.onto and not transform.stochastic_forward:
        expect_close(
            transform.encode(x, context), subject.z, subject.tolerance, "encode(decode(z)) and z"
        )
    if not transform.stochastic_inverse:
        inverse, _ = subject.inverse()
        expect_close(x, inverse, subject.tolerance, "decode and inverse")
        expect_close(
            transform.decode(z, context), subject.x, subject.tolerance, "decode(encode(x)) and x"
        )
