"""The conditioners of Glow's priors: of the half that leaves a level, and of the top latent."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from lambent.nn.context import context_vector
from lambent.nn.conv import ZeroConv2d, ZeroLinear
from lambent.types import Context


class SplitPrior(nn.Module):
    r"""Mean and log-scale of the half that leaves a level, from the half that stays.

    Args:
        in_channels: Channels of the half that stays.
        channels: Channels of the half that leaves.
        border: Whether the convolution sees the border.
        log_scale_factor: Factor of the learned log-scale.
        context_features: Size of the context vector, where the prior reads one.

    Shape:
        ``(b, in_channels, h, w)`` to ``(b, 2 channels, h, w)``, mean and log-scale interleaved.
    """

    def __init__(
        self,
        in_channels: int,
        channels: int,
        *,
        border: bool = True,
        log_scale_factor: float = 3.0,
        context_features: int | None = None,
    ) -> None:
        super().__init__()
        self.conv = ZeroConv2d(
            in_channels, 2 * channels, border=border, log_scale_factor=log_scale_factor
        )
        self.context_features = context_features
        if context_features is not None:
            self.linear = ZeroLinear(
                context_features, 2 * channels, log_scale_factor=log_scale_factor
            )

    def forward(self, a: Tensor, context: Context | None = None) -> Tensor:
        """The parameters of the prior."""
        y: Tensor = self.conv(a)
        if self.context_features is not None:
            vector = context_vector(context, self.context_features)
            y = y + self.linear(vector)[:, :, None, None]
        return y


class TopPrior(nn.Module):
    r"""Mean and log-scale of the top latent, from nothing but the place and the context.

    As released: a zero convolution of a zero image, which is a learned bias and border term, plus
    a linear function of the context. The weights that meet the zeros never learn; they are kept
    because the released models count them.

    Args:
        channels: Channels of the top latent.
        learned: Whether the convolution is there; without it only the context speaks.
        border: Whether the convolution sees the border.
        log_scale_factor: Factor of the learned log-scale.
        context_features: Size of the context vector, where the prior reads one.

    Shape:
        ``(b, 0, h, w)`` to ``(b, 2 channels, h, w)``, mean and log-scale interleaved.
    """

    def __init__(
        self,
        channels: int,
        *,
        learned: bool = True,
        border: bool = True,
        log_scale_factor: float = 3.0,
        context_features: int | None = None,
    ) -> None:
        super().__init__()
        self.channels = channels
        self.conv = (
            ZeroConv2d(2 * channels, 2 * channels, border=border, log_scale_factor=log_scale_factor)
            if learned
            else None
        )
        self.context_features = context_features
        if context_features is not None:
            self.linear = ZeroLinear(
                context_features, 2 * channels, log_scale_factor=log_scale_factor
            )

    def forward(self, a: Tensor, context: Context | None = None) -> Tensor:
        """The parameters of the prior."""
        y = a.new_zeros(a.shape[0], 2 * self.channels, *a.shape[2:])
        if self.conv is not None:
            y = self.conv(y)
        if self.context_features is not None:
            vector = context_vector(context, self.context_features)
            y = y + self.linear(vector)[:, :, None, None]
        mean, log_std = y.chunk(2, 1)
        return torch.stack((mean, log_std), 2).flatten(1, 2)
