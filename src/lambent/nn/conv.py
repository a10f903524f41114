"""The convolutions of Glow's networks."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class BorderConv2d(nn.Module):
    r"""A 3x3 convolution that is told where the picture ends.

    The input is padded with zeros and gets one more channel, 1 on the padding and 0 inside:
    ``y = W x + W_border 1_border (+ bias)``.

    Args:
        in_channels: Channels of the input.
        out_channels: Channels of the output.
        bias: Whether there is a bias.
        border: Whether there is a border channel; its weights are the last of ``weight``'s inputs.

    Shape:
        ``(b, in_channels, h, w)`` to ``(b, out_channels, h, w)``.

    References:
        The released code of D. Kingma and P. Dhariwal, "Glow", 2018 ("edge bias").
    """

    def __init__(
        self, in_channels: int, out_channels: int, *, bias: bool = True, border: bool = True
    ) -> None:
        super().__init__()
        self.in_channels = in_channels
        self.weight = nn.Parameter(torch.empty(out_channels, in_channels + border, 3, 3))
        self.bias = nn.Parameter(torch.zeros(out_channels)) if bias else None
        nn.init.normal_(self.weight, std=0.05)

    def pad(self, x: Tensor) -> Tensor:
        """The padded input with its border channel, where there is one.

        ``(b, in_channels, h, w)`` to ``(b, in_channels + 1, h + 2, w + 2)``.
        """
        ring = (1, 1, 1, 1)
        padded = F.pad(x, ring)
        if self.weight.shape[1] == self.in_channels:
            return padded
        frame = F.pad(x.new_zeros(1, 1, *x.shape[2:]), ring, value=1.0)
        return torch.cat((padded, frame.expand(x.shape[0], -1, -1, -1)), 1)

    def forward(self, x: Tensor) -> Tensor:
        """Convolve."""
        return F.conv2d(self.pad(x), self.weight, self.bias)

    def extra_repr(self) -> str:
        """Sizes and forms."""
        out, full = self.weight.shape[:2]
        bias, border = self.bias is not None, full > self.in_channels
        return f"{self.in_channels}, {out}, bias={bias}, border={border}"


class ZeroConv2d(nn.Module):
    r"""A 3x3 convolution that starts at zero: ``y = (W x + b) exp(f l)``, all of W, b, l zero.

    Args:
        in_channels: Channels of the input.
        out_channels: Channels of the output.
        border: As for :class:`BorderConv2d`.
        log_scale_factor: ``f``.

    Shape:
        ``(b, in_channels, h, w)`` to ``(b, out_channels, h, w)``.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        border: bool = True,
        log_scale_factor: float = 3.0,
    ) -> None:
        super().__init__()
        self.conv = BorderConv2d(in_channels, out_channels, border=border)
        self.raw_log_scale = nn.Parameter(torch.zeros(out_channels))
        self.log_scale_factor = log_scale_factor
        nn.init.zeros_(self.conv.weight)

    @property
    def scale(self) -> Tensor:
        """``exp(f l)``, ``(out_channels, 1, 1)``."""
        return (self.log_scale_factor * self.raw_log_scale).exp()[:, None, None]

    def forward(self, x: Tensor) -> Tensor:
        """Convolve and scale."""
        y: Tensor = self.conv(x)
        return y * self.scale


class ZeroLinear(nn.Module):
    r"""A linear map that starts at zero: ``y = (W x + b) exp(f l)``, all of W, b, l zero.

    Args:
        in_features: Features of the input.
        out_features: Features of the output.
        log_scale_factor: ``f``.

    Shape:
        ``(b, in_features)`` to ``(b, out_features)``.
    """

    def __init__(
        self, in_features: int, out_features: int, *, log_scale_factor: float = 3.0
    ) -> None:
        super().__init__()
        self.linear = nn.Linear(in_features, out_features)
        self.raw_log_scale = nn.Parameter(torch.zeros(out_features))
        self.log_scale_factor = log_scale_factor
        nn.init.zeros_(self.linear.weight)
        nn.init.zeros_(self.linear.bias)

    def forward(self, x: Tensor) -> Tensor:
        """Multiply and scale."""
        y: Tensor = self.linear(x)
        return y * (self.log_scale_factor * self.raw_log_scale).exp()
