"""Actnorm: shift before scale, the factor of the log-scale, channels that match."""

from __future__ import annotations

import math

import pytest
import torch

from lambent.transforms import ActNorm


@pytest.mark.parametrize("factor", [1.0, 3.0])
def test_shift_comes_before_scale(factor: float) -> None:
    layer = ActNorm(2, log_scale_factor=factor)
    with torch.no_grad():
        layer.affine.bias.copy_(torch.tensor([1.0, -2.0]))
        layer.affine.raw_log_scale.copy_(torch.tensor([0.1, 0.2]))
    x = torch.randn(3, 2, 4, 5)
    z, log_det = layer(x)
    expected = (x[:, 1] - 2.0) * math.exp(0.2 * factor)
    torch.testing.assert_close(z[:, 1], expected)
    torch.testing.assert_close(log_det, torch.full((3,), 4 * 5 * 0.3 * factor))


def test_vectors_count_one_place() -> None:
    layer = ActNorm(3)
    with torch.no_grad():
        layer.affine.raw_log_scale.fill_(0.5)
    torch.testing.assert_close(layer(torch.randn(2, 3))[1], torch.full((2,), 3 * 3 * 0.5))


@pytest.mark.parametrize(("channels", "given"), [(1, 3), (3, 1), (2, 3)])
def test_another_number_of_channels_is_refused(channels: int, given: int) -> None:
    """One channel would broadcast over three, with the log-det of one."""
    with pytest.raises(ValueError, match=f"expected {channels} channels, got {given}"):
        ActNorm(channels)(torch.randn(2, given, 4, 4))
    with pytest.raises(ValueError, match=f"expected {channels} channels, got {given}"):
        ActNorm(channels).inverse(torch.randn(2, given))
