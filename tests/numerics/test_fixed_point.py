from __future__ import annotations

import pytest
import torch
from torch import Tensor

from lambent.numerics import fixed_point


def test_a_contraction_is_solved_with_its_gradients() -> None:
    torch.manual_seed(0)
    matrix = 0.1 * torch.randn(4, 4, dtype=torch.float64)
    a = torch.randn(3, 4, dtype=torch.float64)

    def solved(matrix: Tensor, a: Tensor) -> Tensor:
        return fixed_point(lambda x: a + torch.tanh(x @ matrix), torch.zeros_like(a), passes=200)

    x = solved(matrix, a)
    torch.testing.assert_close(x, a + torch.tanh(x @ matrix), rtol=0, atol=1e-15)
    inputs = (matrix.requires_grad_(), a.requires_grad_())
    assert torch.autograd.gradcheck(solved, inputs)


def test_it_stops_when_nothing_moves_by_more_than_the_tolerance() -> None:
    calls = 0

    def halved(x: Tensor) -> Tensor:
        nonlocal calls
        calls += 1
        return x / 2

    x = fixed_point(halved, torch.ones(1), passes=1000, tolerance=1e-3)
    assert calls == 11  # 2^-10 is the first move below 1e-3, and one pass for the gradients
    assert x.item() == 2.0**-11
    calls = 0
    fixed_point(halved, torch.ones(1), passes=3)
    assert calls == 3


def test_second_derivatives_are_refused() -> None:
    a = torch.ones(1, requires_grad=True)
    x = fixed_point(lambda x: a + x.sin() / 2, torch.zeros(1), passes=50)
    with pytest.raises(RuntimeError, match="first derivatives only"):
        torch.autograd.grad(x.sum(), a, create_graph=True)
