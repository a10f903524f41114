"""A learned scale and shift for each channel, set from the first batch."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class ChannelAffine(nn.Module):
    r"""One scale and one shift for each channel: ``y = (x + b) exp(f l)``.

    Data-initialised: ``b`` is minus the channel's mean, and then ``l`` is such that the second
    moment of the output is one. A channel that is constant over the batch keeps the scale 1.

    Args:
        channels: Channels ``c``.
        log_scale_factor: ``f``, which multiplies the learning rate of the log-scale ``l``; 3 in
            the released Glow.

    Shape:
        ``(b, c, *)`` both ways.
    """

    initialized: Tensor

    def __init__(self, channels: int, *, log_scale_factor: float = 3.0) -> None:
        super().__init__()
        self.log_scale_factor = log_scale_factor
        self.bias = nn.Parameter(torch.zeros(channels))
        self.raw_log_scale = nn.Parameter(torch.zeros(channels))
        self.register_buffer("initialized", torch.tensor(False))

    @property
    def log_scale(self) -> Tensor:
        """``f l``, ``(c,)``."""
        return self.log_scale_factor * self.raw_log_scale

    def _per_channel(self, values: Tensor, x: Tensor) -> Tensor:
        if x.shape[1] != len(values):
            raise ValueError(f"x: expected {len(values)} channels, got {x.shape[1]}")
        return values.reshape(-1, *([1] * (x.ndim - 2)))

    def forward(self, x: Tensor) -> Tensor:
        """Shift, then scale."""
        scale = self.log_scale.exp()
        return torch.addcmul(
            self._per_channel(self.bias * scale, x), x, self._per_channel(scale, x)
        )

    def inverse(self, y: Tensor) -> Tensor:
        """Undo the scale, then the shift."""
        return y * self._per_channel((-self.log_scale).exp(), y) - self._per_channel(self.bias, y)

    @torch.no_grad()
    def initialize_from(self, x: Tensor) -> None:
        """Set scale and shift so that each channel of the output has mean 0 and second moment 1."""
        by_channel = x.detach().cpu().double().transpose(0, 1).flatten(1)
        mean = by_channel.mean(1)
        std = (by_channel - mean[:, None]).square().mean(1).sqrt()
        constant = std <= 1e-6 * (1 + mean.abs())
        log_scale = torch.where(constant, 0.0, -(std + 1e-6).log())
        self.bias.copy_(-mean)
        self.raw_log_scale.copy_(log_scale / self.log_scale_factor)
        self.initialized.fill_(1)

    def extra_repr(self) -> str:
        """What ``repr`` shows."""
        return f"{len(self.bias)}, log_scale_factor={self.log_scale_factor:g}"
