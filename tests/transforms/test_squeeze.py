"""Squeeze: the order of the channels, and the shapes it takes."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from lambent.transforms import Squeeze


def test_channel_index_formula() -> None:
    """Output channel ``4 c + 2 r + s`` at (i, j) is input channel c at (2 i + r, 2 j + s)."""
    x = torch.randn(2, 3, 4, 6)
    z, value = Squeeze()(x)
    assert z.shape == (2, 12, 2, 3)
    for c in range(3):
        for r in range(2):
            for s in range(2):
                assert torch.equal(z[:, 4 * c + 2 * r + s], x[:, c, r::2, s::2])
    assert value.tolist() == [0.0, 0.0]


@pytest.mark.parametrize("factor", [1, 2, 3, 4])
def test_equals_pixel_unshuffle(factor: int) -> None:
    x = torch.randn(2, 3, 2 * factor, 3 * factor)
    assert torch.equal(Squeeze(factor)(x)[0], F.pixel_unshuffle(x, factor))
    assert torch.equal(Squeeze(factor).inverse(Squeeze(factor)(x)[0])[0], x)


def test_shapes() -> None:
    assert Squeeze().forward_shape((3, 32, 64)) == (12, 16, 32)
    assert Squeeze().inverse_shape((12, 16, 32)) == (3, 32, 64)
    assert Squeeze(4).forward_shape((3, 32, 64)) == (48, 8, 16)
    assert Squeeze(4).inverse_shape((48, 8, 16)) == (3, 32, 64)


@pytest.mark.parametrize("shape", [(1, 3, 4), (1, 4, 3)])
def test_odd_sizes_are_refused(shape: tuple[int, int, int]) -> None:
    with pytest.raises(ValueError, match="expected a height and width that 2 divides"):
        Squeeze().forward_shape(shape)


def test_channels_that_make_no_cell_are_refused() -> None:
    with pytest.raises(ValueError, match="channels that 4 divides, got 6"):
        Squeeze().inverse_shape((6, 2, 2))


def test_factor_below_one_is_refused() -> None:
    with pytest.raises(ValueError, match="factor: expected at least 1, got 0"):
        Squeeze(0)
