"""Roots of increasing functions: found to rounding, with the implicit function's gradient."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from lambent.errors import NotInvertibleError
from lambent.numerics import increasing_root


def cubic(scale: Tensor) -> object:
    def f(x: Tensor) -> tuple[Tensor, Tensor]:
        return x**3 + scale * x, (3 * x**2 + scale).log()

    return f


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e3])
def test_finds_roots_to_rounding(dtype: torch.dtype, scale: float) -> None:
    x = torch.linspace(-50, 50, 201, dtype=dtype)
    f = cubic(torch.tensor(scale, dtype=dtype))
    low, high = torch.full_like(x, -1000), torch.full_like(x, 2000)
    found = increasing_root(f, f(x)[0], low, high)  # type: ignore[operator, arg-type]
    flat = 3 * x**2 + scale > 1e-3  # where it is flat, many numbers have the same value
    tolerance = 100 * torch.finfo(dtype).eps
    torch.testing.assert_close(found[flat], x[flat], rtol=tolerance, atol=tolerance)


def test_gradients_are_those_of_the_implicit_function() -> None:
    y = torch.tensor([-2.0, 0.3, 5.0], dtype=torch.float64, requires_grad=True)
    scale = torch.tensor([0.5, 1.0, 2.0], dtype=torch.float64, requires_grad=True)

    def root(y: Tensor, scale: Tensor) -> Tensor:
        edge = torch.full_like(y, 10)
        return increasing_root(cubic(scale), y, -edge, edge)  # type: ignore[arg-type]

    assert torch.autograd.gradcheck(root, (y, scale))


def test_a_step_is_crossed() -> None:
    """Where Newton's steps are of no use the bracket is halved."""

    def f(x: Tensor) -> tuple[Tensor, Tensor]:
        steep = torch.sigmoid(1e4 * (x - 0.123))
        return steep + 1e-9 * x, (1e4 * steep * (1 - steep) + 1e-9).log()

    y = torch.tensor([0.2, 0.5, 0.8], dtype=torch.float64)
    edge = torch.full_like(y, 1e3)
    assert (f(increasing_root(f, y, -edge, edge))[0] - y).abs().max() < 1e-9


def test_what_has_no_root_is_refused() -> None:
    y = torch.tensor([float("nan")])
    with pytest.raises(NotInvertibleError, match="root"):
        increasing_root(cubic(torch.tensor(1.0)), y, y - 1, y + 1)  # type: ignore[arg-type]
