"""The priors of a split and of the top latent: where mean and log-scale lie."""

from __future__ import annotations

import torch

from lambent.nn import SplitPrior, TopPrior
from lambent.testing import perturbed


def test_split_prior_is_a_zero_convolution() -> None:
    net = SplitPrior(2, 3)
    a = torch.randn(2, 2, 3, 3)
    assert not net(a).any()
    assert net(a).shape == (2, 6, 3, 3)
    moved = perturbed(net, 0.3, seed=1)
    torch.testing.assert_close(moved(a.double()), moved.conv(a.double()))


def test_split_prior_adds_the_context_at_every_place() -> None:
    net = perturbed(SplitPrior(2, 3, context_features=4), 0.3, seed=1)
    a, context = torch.randn(2, 2, 3, 3).double(), torch.randn(2, 4).double()
    difference = net(a, context) - net(a, torch.zeros_like(context))
    expected = net.linear(context) - net.linear(torch.zeros_like(context))
    torch.testing.assert_close(difference, expected[:, :, None, None].expand_as(difference))


def test_top_prior_reads_nothing_but_place_and_context() -> None:
    """As released, means in the first half of the channels, log-scales in the second."""
    net = perturbed(TopPrior(2, context_features=3), 0.3, seed=1)
    nothing, context = torch.zeros(2, 0, 3, 4).double(), torch.randn(2, 3).double()
    released = net.conv(torch.zeros(2, 4, 3, 4).double()) + net.linear(context)[:, :, None, None]
    y = net(nothing, context)
    torch.testing.assert_close(y[:, 0::2], released[:, :2])
    torch.testing.assert_close(y[:, 1::2], released[:, 2:])
    assert (y[0, 0, 0, 0] - y[0, 0, 1, 1]).abs() > 1e-3  # the border shows


def test_top_prior_without_learning_is_what_the_context_says() -> None:
    net = perturbed(TopPrior(2, learned=False, context_features=3), 0.3, seed=1)
    y = net(torch.zeros(2, 0, 2, 2).double(), torch.randn(2, 3).double())
    assert torch.equal(y, y[:, :, :1, :1].expand_as(y))
    assert (y[0] != y[1]).all()
