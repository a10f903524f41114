"""The checks of values: what they raise, and what they say."""

from __future__ import annotations

import pytest
import torch

from lambent.errors import (
    DomainError,
    MissingExtraError,
    NotInvertibleError,
    check_converged,
    check_domain,
)


def test_domain() -> None:
    check_domain(torch.tensor([True, True]), "x: fine")
    with pytest.raises(DomainError, match="x: expected more"):
        check_domain(torch.tensor([True, False]), "x: expected more")
    assert issubclass(DomainError, ValueError)


@pytest.mark.parametrize("worst", [0.5, float("inf"), float("nan")])
def test_converged(worst: float) -> None:
    check_converged(torch.tensor([0.0, 1e-7]), 1e-6, "solve")
    with pytest.raises(NotInvertibleError, match="solve") as caught:
        check_converged(torch.tensor([0.0, worst]), 1e-6, "solve")
    assert caught.value.residual == pytest.approx(worst, nan_ok=True)
    assert f"{worst:.3g}" in str(caught.value)


def test_a_residual_with_a_gradient_is_taken() -> None:
    check_converged(torch.zeros(2, requires_grad=True) * 2, 1e-6, "solve")


def test_missing_extra_says_what_mends_it() -> None:
    with pytest.raises(ImportError, match=r"pip install 'lambent\[train\]'"):
        raise MissingExtraError("lightning", "train")
