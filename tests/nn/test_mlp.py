"""Fully connected conditioners."""

from __future__ import annotations

import pytest
import torch

from lambent.nn import MLP, ResidualNet, ShiftAndScale


def test_starts_at_zero_and_reads_the_context() -> None:
    net = MLP(3, 4, width=8, context_features=2)
    a, context = torch.randn(5, 3), torch.randn(5, 2)
    assert not net(a, context).any()
    torch.nn.init.normal_(net.last.weight)
    assert (net(a, context) != net(a, context.flip(0))).any()
    with pytest.raises(ValueError, match=r"context: expected vectors of shape \(b, 2\)"):
        net(a)


@pytest.mark.parametrize("layers", [1, 3])
def test_sizes(layers: int) -> None:
    net = MLP(3, 4, width=8, layers=layers, activation="tanh")
    expected = (3 + 1) * 8 + (layers - 1) * (8 + 1) * 8 + (8 + 1) * 4
    assert sum(p.numel() for p in net.parameters()) == expected


def test_no_hidden_layer_is_refused() -> None:
    with pytest.raises(ValueError, match="layers: expected at least 1, got 0"):
        MLP(3, 4, layers=0)


def test_two_networks_interleave() -> None:
    shift, scale = MLP(2, 3, width=4), MLP(2, 3, width=4)
    for net in (shift, scale):
        torch.nn.init.normal_(net.last.weight)
    a = torch.randn(5, 2)
    both = ShiftAndScale(shift, scale)(a)
    assert torch.equal(both[:, 0::2], shift(a))
    assert torch.equal(both[:, 1::2], scale(a))


def test_the_residual_network_starts_at_zero_and_every_weight_learns() -> None:
    net = ResidualNet(2, 4, width=6, blocks=2)
    x = torch.randn(3, 2, 4, 4)
    assert net(x).shape == (3, 4, 4, 4)
    assert not net(x).any()
    torch.nn.init.normal_(net.last.conv.weight)
    net(x).square().sum().backward()
    assert all(p.grad is not None and p.grad.any() for p in net.parameters())
