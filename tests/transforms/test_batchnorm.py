"""Batch norm: whose statistics it takes, and its log-det in training by hand."""

from __future__ import annotations

import pytest
import torch

from lambent import Flow, initialize, seeded
from lambent.distributions import StandardNormal
from lambent.transforms import BatchNorm


def batch() -> torch.Tensor:
    with seeded(0):
        return 3 + 2 * torch.randn(6, 2, 3, 1, dtype=torch.float64)


def test_training_takes_the_minibatch() -> None:
    layer, x = BatchNorm(2, eps=0.5).double().train(), batch()
    z, log_det = layer(x)
    torch.testing.assert_close(z.mean((0, 2, 3)), torch.zeros(2).double())
    variance = x.var((0, 2, 3), correction=0)
    torch.testing.assert_close(z.var((0, 2, 3), correction=0), variance / (variance + 0.5))
    by_hand = -0.5 * 3 * (variance + 0.5).log().sum()
    torch.testing.assert_close(log_det, by_hand.expand(6))


def test_gradients_pass_through_the_batchs_statistics() -> None:
    """A shift of the whole batch changes nothing; a layer of constants would pass it on."""
    x = batch().requires_grad_()
    z, _ = BatchNorm(2).double().train()(x)
    (gradient,) = torch.autograd.grad(z.square()[0].sum(), x)
    assert gradient.abs().max() > 1e-3
    torch.testing.assert_close(gradient.sum((0, 2, 3)), torch.zeros(2).double())


def test_running_statistics_move_in_training_alone() -> None:
    layer, x = BatchNorm(2, momentum=0.25).double(), batch()
    layer.eval()(x)
    assert torch.equal(layer.mean, torch.zeros(2).double())
    layer.train()(x)
    torch.testing.assert_close(layer.mean, 0.25 * x.mean((0, 2, 3)))
    moved = 0.75 + 0.25 * x.var((0, 2, 3), correction=0)
    torch.testing.assert_close(layer.variance, moved)


def test_evaluation_does_not_look_at_the_rest_of_the_batch() -> None:
    layer, x = BatchNorm(2).double(), batch()
    layer.train()(x)
    layer.eval()
    z, log_det = layer(x)
    torch.testing.assert_close(layer(x[:1])[0], z[:1])
    torch.testing.assert_close(layer.inverse(z)[0], x)
    torch.testing.assert_close(layer.inverse(z)[1], -log_det)


def test_initialisation_sets_the_running_statistics() -> None:
    x = batch().float()
    flow = Flow(BatchNorm(2), StandardNormal((2, 3, 1)))
    initialize(flow, x)
    z = flow.encode(x)
    torch.testing.assert_close(z.mean((0, 2, 3)), torch.zeros(2), atol=1e-5, rtol=0)
    torch.testing.assert_close(z.square().mean((0, 2, 3)), torch.ones(2), atol=1e-3, rtol=0)


def test_what_it_refuses() -> None:
    layer = BatchNorm(2)
    with pytest.raises(ValueError, match="x: expected 2 channels, got 3"):
        layer(torch.zeros(2, 3))
    with pytest.raises(ValueError, match="x: expected at least 2 events"):
        layer.train()(torch.zeros(1, 2))
    with pytest.raises(ValueError, match="momentum: expected more than 0, at most 1, got 0"):
        BatchNorm(2, momentum=0.0)
    with pytest.raises(ValueError, match="eps: expected more than 0, got 0"):
        BatchNorm(2, eps=0.0)
