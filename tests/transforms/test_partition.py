"""Partitions: which places are which, and that they come back."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from lambent.nn import Chequered
from lambent.transforms import Checkerboard, Complement, EveryOther, Halves, Partition
from lambent.types import Context


class Everywhere(nn.Module):
    """Keeps what it is given."""

    def forward(self, x: Tensor, context: Context | None = None) -> Tensor:
        self.seen = x
        return 10 + torch.arange(x[0].numel()).reshape(x[:1].shape).expand_as(x)


def test_every_other() -> None:
    even, odd = EveryOther().split(torch.arange(5)[None])
    assert even.tolist() == [[0, 2, 4]]
    assert odd.tolist() == [[1, 3]]


def test_checkerboard() -> None:
    even, odd = Checkerboard().split(torch.arange(12).reshape(1, 1, 3, 4))
    assert even[0, 0].tolist() == [[0, 2], [5, 7], [8, 10]]
    assert odd[0, 0].tolist() == [[1, 3], [4, 6], [9, 11]]


@pytest.mark.parametrize("partition", [EveryOther(), Checkerboard(), Halves()])
def test_merging_undoes_splitting_and_the_complement_swaps(partition: Partition) -> None:
    x = torch.randn(2, 3, 5, 4)
    a, b = partition.split(x)
    assert torch.equal(partition.merge(a, b), x)
    swapped = Complement(partition)
    assert torch.equal(swapped.split(x)[0], b)
    assert torch.equal(swapped.split(x)[1], a)
    assert torch.equal(swapped.merge(b, a), x)


@pytest.mark.parametrize("shape", [(2, 1, 4, 3), (2, 4)])
def test_a_checkerboard_needs_planes_of_even_width(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"x: expected planes .* of even width .* got"):
        Checkerboard().split(torch.zeros(shape))


@pytest.mark.parametrize("partition", [Checkerboard(), Complement(Checkerboard())])
def test_a_network_sees_the_masked_planes(partition: Partition) -> None:
    """As Real NVP writes it: the network reads ``mask * x`` and speaks where the mask is 0."""
    odd = isinstance(partition, Complement)
    x = torch.randn(2, 1, 3, 4)
    parity = (torch.arange(3)[:, None] + torch.arange(4)) % 2
    mask = parity == int(odd)
    net = Everywhere()
    a, _ = partition.split(x)
    said = Chequered(net, odd=odd)(a)
    assert torch.equal(net.seen, x * mask)
    whole = partition.merge(torch.zeros_like(said), said)
    assert torch.equal(whole, net(x) * ~mask)
