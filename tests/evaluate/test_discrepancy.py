from __future__ import annotations

import pytest
import torch

from lambent.evaluate import discrepancy


def test_of_equal_samples_is_nothing() -> None:
    x = torch.randn(50, 2)
    assert discrepancy(x, x) == pytest.approx(0, abs=1e-3)


def test_of_two_points_each_is_the_formula() -> None:
    x, y = torch.tensor([[0.0], [1.0]]), torch.tensor([[3.0], [5.0]])
    k = [[torch.exp(torch.tensor(-((a - b) ** 2) / 8)) for b in (0, 1, 3, 5)] for a in (0, 1, 3, 5)]
    table = torch.tensor(k)
    expected = table[:2, :2].mean() + table[2:, 2:].mean() - 2 * table[:2, 2:].mean()
    assert discrepancy(x, y) == pytest.approx(float(expected.sqrt()), rel=1e-5)


def test_grows_with_the_distance() -> None:
    x = torch.randn(400, 2)
    near, far = (discrepancy(torch.randn(400, 2) + d, x) for d in (0.0, 1.0))
    assert near < 0.1 < far


def test_refuses_single_events() -> None:
    with pytest.raises(ValueError, match=r"^x: expected at least 2 events, got 1"):
        discrepancy(torch.zeros(1, 2), torch.zeros(3, 2))
