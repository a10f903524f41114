"""The law of the Jacobian: a bijection's contribution is the log-determinant autograd finds."""

from __future__ import annotations

import torch
from torch import Tensor

from lambent.core.transform import Transform
from lambent.testing.law import expect, expect_close
from lambent.testing.subject import Subject, run_forward
from lambent.types import Context, PerSample, X

_DRAWS = 400  # of an unbiased estimate; the mean is known to a twentieth of its spread
_STANDARD_ERRORS = 4.0


def log_abs_det(transform: Transform, x: X, context: Context | None = None) -> PerSample:
    """``log |det dz/dx|`` of each event by autograd, ``O(d)`` backward passes and ``O(d^3)``.

    Args:
        transform: A bijection; events must not influence each other.
        x: Events, ``(b, *x)``, float.
        context: One row for each event.

    Returns:
        Nats, ``(b,)``.

    Raises:
        AssertionError: If ``z`` and ``x`` differ in size.
    """
    log_det: Tensor = torch.linalg.slogdet(jacobian(transform, x, context))[1]
    return log_det


def jacobian(transform: Transform, x: X, context: Context | None = None) -> Tensor:
    """The Jacobian of each event by autograd, ``(b, d, d)``; arguments as :func:`log_abs_det`."""
    x = x.detach().requires_grad_()
    with torch.enable_grad():
        z = run_forward(transform, x, context)[0].flatten(1)
    size = x[0].numel()
    expect(z.shape[1] == size, f"{size} numbers become {z.shape[1]}: not a bijection")
    rows = [
        torch.autograd.grad(z[:, i].sum(), x, retain_graph=True, allow_unused=True)[0]
        for i in range(size)
    ]
    zeros = torch.zeros_like(x)
    return torch.stack([(zeros if row is None else row).flatten(1) for row in rows], 1)


def jacobian_law(subject: Subject) -> None:
    """``log_det`` is the log-determinant of the autograd Jacobian, for each event.

    Of an unbiased estimate the mean is, to four standard errors.
    """
    expect(subject.x.is_floating_point(), f"expected float events, got {subject.x.dtype}")
    expected = log_abs_det(subject.transform, subject.x, subject.context)
    if subject.exact_value:
        _, log_det = subject.forward()
        expect_close(log_det, expected, subject.tolerance, "log_det and the autograd Jacobian's")
        return
    with torch.no_grad():
        draws = torch.stack(
            [
                run_forward(subject.transform, subject.x, subject.context, subject.seed + i)[1]
                for i in range(_DRAWS)
            ]
        )
    error = (draws.mean(0) - expected).abs()
    allowed = _STANDARD_ERRORS * draws.std(0) / _DRAWS**0.5 + subject.tolerance
    expect(
        bool((error <= allowed).all()),
        f"mean of {_DRAWS} estimates is off by {float((error - allowed).max()):.3g} more than "
        f"{_STANDARD_ERRORS:g} standard errors",
    )
