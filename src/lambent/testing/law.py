"""A law: a name, whom it binds, and the check."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from lambent.testing.subject import Subject


@dataclass(frozen=True)
class Law:
    """One law of the protocol; call it with a subject."""

    name: str
    """What the law is called in messages."""
    check: Callable[[Subject], None]
    """Raises ``AssertionError`` where the law is broken."""
    binds: Callable[[Any], bool]
    """Whether a transform's or flow's flags promise this law."""

    def __call__(self, subject: Subject) -> None:
        """Check one subject.

        Args:
            subject: What :func:`prepare` or :meth:`Case.subject` made.

        Raises:
            AssertionError: If the subject breaks the law; the message names both.
        """
        kind = type(subject.module).__name__
        try:
            self.check(subject)
        except AssertionError as error:
            raise AssertionError(f"{kind} breaks the law '{self.name}': {error}") from error
        except Exception as error:
            error.add_note(f"raised by {kind} under the law '{self.name}'")
            raise


def expect(condition: bool, message: str) -> None:  # noqa: FBT001
    """Raise ``AssertionError`` unless a condition holds; unlike ``assert``, also under ``-O``."""
    if not condition:
        raise AssertionError(message)


def expect_close(actual: Tensor, expected: Tensor, tolerance: float, what: str) -> None:
    """Raise unless two tensors agree to an absolute plus relative tolerance; integers exactly.

    Args:
        actual: What was found.
        expected: What it should be.
        tolerance: Largest absolute error, and largest error relative to ``expected``.
        what: What is compared, for messages.

    Raises:
        AssertionError: If they differ; the message gives the largest difference.
    """
    expect(
        actual.shape == expected.shape,
        f"{what}: shapes {tuple(actual.shape)} and {tuple(expected.shape)} differ",
    )
    if not expected.is_floating_point() or not actual.is_floating_point():
        differ = int((actual != expected).sum())
        expect(
            actual.dtype == expected.dtype and differ == 0,
            f"{what}: {differ} of {expected.numel()} integers differ, "
            f"dtypes {actual.dtype} and {expected.dtype}",
        )
        return
    actual, expected = actual.detach().double(), expected.detach().double()
    close = torch.isclose(actual, expected, rtol=tolerance, atol=tolerance)
    worst = float((actual - expected).abs().max()) if expected.numel() else 0.0
    expect(bool(close.all()), f"{what}: differ by up to {worst:.3g}, tolerance {tolerance:.3g}")
