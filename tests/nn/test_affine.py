"""The scale and shift of each channel, from the first batch."""

from __future__ import annotations

import pytest
import torch

from lambent.nn import ChannelAffine


@pytest.mark.parametrize("factor", [1.0, 3.0])
def test_first_batch_leaves_with_mean_zero_and_second_moment_one(factor: float) -> None:
    layer = ChannelAffine(3, log_scale_factor=factor)
    x = torch.randn(64, 3, 4, 4) * torch.tensor([0.5, 3.0, 40.0])[:, None, None]
    x = x + torch.tensor([0.0, -5.0, 100.0])[:, None, None]
    assert not layer.initialized
    layer.initialize_from(x)
    assert layer.initialized
    y = layer(x).movedim(1, 0).flatten(1)
    assert y.mean(1).abs().max() < 1e-5
    assert (y.square().mean(1) - 1).abs().max() < 1e-4
    torch.testing.assert_close(layer.inverse(layer(x)), x, rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_statistics_are_found_in_float64(dtype: torch.dtype) -> None:
    """A large mean over a small deviation loses its digits in a narrow sum."""
    layer = ChannelAffine(1)
    x = (100 + torch.randn(5000, 1)).to(dtype)
    layer.initialize_from(x)
    assert layer.bias.item() == pytest.approx(-x.double().mean().item(), rel=1e-6)
    assert layer.log_scale.exp().item() == pytest.approx(1 / x.double().std().item(), rel=1e-3)


def test_factor_multiplies_the_step_in_log_scale() -> None:
    one, three = ChannelAffine(2, log_scale_factor=1.0), ChannelAffine(2, log_scale_factor=3.0)
    with torch.no_grad():
        one.raw_log_scale.fill_(0.3)
        three.raw_log_scale.fill_(0.1)
    x = torch.randn(4, 2)
    torch.testing.assert_close(one(x), three(x))
    for layer in (one, three):
        layer(x).sum().backward()
    torch.testing.assert_close(three.raw_log_scale.grad, 3 * one.raw_log_scale.grad)


def test_starts_as_the_identity() -> None:
    x = torch.randn(4, 3, 2)
    assert torch.equal(ChannelAffine(3)(x), x)
