"""Permutations of the channels: which goes where, and that nothing is lost."""

from __future__ import annotations

import pytest
import torch

from lambent.transforms import Permute


def test_output_channel_i_is_input_channel_order_i() -> None:
    x = torch.randn(2, 3, 2, 2)
    z, value = Permute(torch.tensor([2, 0, 1]))(x)
    assert torch.equal(z, torch.stack((x[:, 2], x[:, 0], x[:, 1]), 1))
    assert value.tolist() == [0.0, 0.0]


def test_reverse() -> None:
    x = torch.randn(2, 5)
    assert torch.equal(Permute.reverse(5)(x)[0], x.flip(1))


def test_shuffle_is_drawn_once_and_kept_in_the_state_dict() -> None:
    one, two = Permute.shuffle(50), Permute.shuffle(50)
    assert not torch.equal(one.order, two.order)
    two.load_state_dict(one.state_dict())
    assert torch.equal(one.order, two.order)


@pytest.mark.parametrize("order", [[0, 0], [1, 2], [0, 2], [[0, 1]], [-1, 0]])
def test_what_is_no_permutation_is_refused(order: list[int]) -> None:
    with pytest.raises(ValueError, match="order: expected a permutation"):
        Permute(torch.tensor(order))


def test_another_number_of_channels_is_refused() -> None:
    """Choosing two of three channels would lose the third without a word."""
    with pytest.raises(ValueError, match="expected 2 channels, got 3"):
        Permute.reverse(2)(torch.randn(4, 3))
    with pytest.raises(ValueError, match="expected 2 channels, got 3"):
        Permute.reverse(2).inverse(torch.randn(4, 3))


def test_integers_are_permuted_bit_by_bit() -> None:
    x = torch.randint(-(2**40), 2**40, (3, 4))
    layer = Permute.shuffle(4)
    assert torch.equal(layer.inverse(layer(x)[0])[0], x)


def test_can_be_built_on_the_meta_device() -> None:
    with torch.device("meta"):
        assert Permute.shuffle(4).order.device.type == "meta"
