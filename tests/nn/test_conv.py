"""Convolutions that see the border, against explicit padding with a channel of ones on the ring."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from lambent.nn import BorderConv2d, ZeroConv2d, ZeroLinear


def with_ring(x: Tensor) -> Tensor:
    """Padded by zeros, with one more channel: 1 on the ring of the padding, 0 inside."""
    padded = F.pad(x, (1, 1, 1, 1))
    ring = torch.ones(len(x), 1, *padded.shape[2:], dtype=x.dtype)
    ring[:, :, 1:-1, 1:-1] = 0
    return torch.cat((padded, ring), 1)


@pytest.mark.parametrize("size", [(1, 1), (1, 4), (3, 2), (5, 5)])
@pytest.mark.parametrize("bias", [True, False])
def test_border_is_a_channel_of_ones_on_the_ring(size: tuple[int, int], *, bias: bool) -> None:
    conv = BorderConv2d(2, 3, bias=bias).double()
    x = torch.randn(2, 2, *size, dtype=torch.float64)
    expected = F.conv2d(with_ring(x), conv.weight, conv.bias)
    torch.testing.assert_close(conv(x), expected)
    assert conv.weight.shape == (3, 3, 3, 3)


def test_without_border_it_is_the_plain_convolution() -> None:
    conv = BorderConv2d(2, 3, border=False)
    x = torch.randn(2, 2, 4, 4)
    torch.testing.assert_close(conv(x), F.conv2d(x, conv.weight, conv.bias, padding=1))


def test_corner_knows_itself() -> None:
    conv = BorderConv2d(1, 1, bias=False)
    with torch.no_grad():
        conv.weight.fill_(1.0)
    y = conv(torch.zeros(1, 1, 4, 4))[0, 0]
    assert y[0].tolist() == [5.0, 3.0, 3.0, 5.0]
    assert y[1].tolist() == [3.0, 0.0, 0.0, 3.0]


def test_zero_convolution_starts_at_zero_and_its_scale_is_learned() -> None:
    conv = ZeroConv2d(2, 3, log_scale_factor=2.0).double()
    x = torch.randn(2, 2, 3, 3, dtype=torch.float64)
    assert not conv(x).any()
    with torch.no_grad():
        conv.conv.weight.normal_()
        conv.conv.bias.normal_()
        conv.raw_log_scale.normal_(std=0.3)
    plain = F.conv2d(with_ring(x), conv.conv.weight, conv.conv.bias)
    scale = (2.0 * conv.raw_log_scale).exp()[:, None, None]
    torch.testing.assert_close(conv(x), plain * scale)


def test_zero_linear() -> None:
    layer = ZeroLinear(3, 2)
    x = torch.randn(4, 3)
    assert not layer(x).any()
    with torch.no_grad():
        layer.linear.weight.normal_()
        layer.raw_log_scale.fill_(0.1)
    expected = x @ layer.linear.weight.T * torch.tensor(0.3).exp()
    torch.testing.assert_close(layer(x), expected)
