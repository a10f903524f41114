"""The conditioner of Real NVP's couplings of images."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lambent.nn.affine import ChannelAffine
from lambent.nn.context import context_vector
from lambent.nn.conv import ZeroConv2d
from lambent.types import Context


class ResidualBlock(nn.Module):
    """``x + conv(act(conv(act(x))))``, where ``act`` is a scale, a shift and a ReLU.

    Args:
        width: Channels.

    Shape:
        ``(b, width, h, w)`` both ways.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norms = nn.ModuleList(ChannelAffine(width) for _ in range(2))
        self.convs = nn.ModuleList(nn.Conv2d(width, width, 3, padding=1) for _ in range(2))

    def forward(self, x: Tensor) -> Tensor:
        """Add what two convolutions see."""
        h = x
        for norm, conv in zip(self.norms, self.convs, strict=True):
            h = conv(F.relu(norm(h)))
        return x + h


class ResidualNet(nn.Module):
    r"""Pre-activation residual blocks between two convolutions, the last of which starts at zero.

    The input meets its own negative before the first ReLU, so that none of it is lost. The
    published network normalises its hidden layers by the batch; here they have a data-initialised
    scale and shift, which keep one event's likelihood apart from its batch in training too.

    Args:
        in_channels: Channels it reads.
        out_channels: Channels it puts out.
        width: Channels of the blocks.
        blocks: How many there are.
        context_features: Size of the context vector, where there is one: a linear function of it
            is added to what the first convolution puts out.

    Shape:
        ``(b, in_channels, h, w)`` and ``(b, context_features)`` to ``(b, out_channels, h, w)``.

    References:
        L. Dinh et al., "Density estimation using Real NVP", 2017, arXiv:1605.08803, section 4.1.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        width: int = 32,
        blocks: int = 2,
        context_features: int | None = None,
    ) -> None:
        super().__init__()
        self.norm = ChannelAffine(in_channels)
        self.first = nn.Conv2d(2 * in_channels, width, 3, padding=1)
        self.blocks = nn.Sequential(*(ResidualBlock(width) for _ in range(blocks)))
        self.last_norm = ChannelAffine(width)
        self.last = ZeroConv2d(width, out_channels)
        self.context_features = context_features
        if context_features is not None:
            self.condition = nn.Linear(context_features, width, bias=False)

    def forward(self, a: Tensor, context: Context | None = None) -> Tensor:
        """The parameters of the coupling."""
        h = self.norm(a)
        h = self.first(F.relu(torch.cat((h, -h), 1)))
        if self.context_features is not None:
            vector = context_vector(context, self.context_features)
            h = h + self.condition(vector)[:, :, None, None]
        h = self.blocks(h)
        y: Tensor = self.last(F.relu(self.last_norm(h)))
        return y
