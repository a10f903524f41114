"""Haar: what becomes of a block, and the shapes it takes."""

from __future__ import annotations

import pytest
import torch

from lambent.transforms import Haar


def test_a_block_is_its_sum_and_three_differences() -> None:
    x = torch.randn(2, 3, 4, 6, dtype=torch.float64)
    z, value = Haar()(x)
    assert z.shape == (2, 12, 2, 3)
    for c in range(3):
        a, b = x[:, c, 0::2, 0::2], x[:, c, 0::2, 1::2]
        d, e = x[:, c, 1::2, 0::2], x[:, c, 1::2, 1::2]
        expected = (a + b + d + e, a - b + d - e, a + b - d - e, a - b - d + e)
        for i, wanted in enumerate(expected):
            torch.testing.assert_close(z[:, 4 * c + i], wanted / 2)
    assert value.tolist() == [0.0, 0.0]


def test_lengths_are_kept() -> None:
    x = torch.randn(5, 2, 6, 4, dtype=torch.float64)
    z = Haar()(x)[0]
    torch.testing.assert_close(z.flatten(1).norm(dim=1), x.flatten(1).norm(dim=1))


def test_shapes() -> None:
    assert Haar().forward_shape((3, 32, 64)) == (12, 16, 32)
    assert Haar().inverse_shape((12, 16, 32)) == (3, 32, 64)
    with pytest.raises(ValueError, match="expected a height and width that 2 divides"):
        Haar().forward_shape((1, 3, 4))
    with pytest.raises(ValueError, match="channels that 4 divides, got 6"):
        Haar().inverse_shape((6, 2, 2))
