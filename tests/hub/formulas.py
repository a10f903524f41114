"""What the foreign layouts have in common, written out with torch's functions."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

State = dict[str, Tensor]


def noise(*shape: int, scale: float = 0.2) -> Tensor:
    return scale * torch.randn(shape, dtype=torch.float64)


def rotation(channels: int) -> Tensor:
    q: Tensor = torch.linalg.qr(noise(channels, channels))[0]
    return q


def squeeze(x: Tensor) -> Tensor:
    b, c, h, w = x.shape
    cells = x.view(b, c, h // 2, 2, w // 2, 2).permute(0, 1, 3, 5, 2, 4)
    return cells.reshape(b, 4 * c, h // 2, w // 2)


def mixed(x: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
    """A 1x1 convolution and its log-determinant."""
    places = x.shape[2] * x.shape[3]
    return F.conv2d(x, weight[:, :, None, None]), places * torch.linalg.slogdet(weight)[1]


def product(p: Tensor, lower: Tensor, upper: Tensor, sign: Tensor, log_s: Tensor) -> Tensor:
    """The weight of a 1x1 convolution from its factors; only the strict triangles count."""
    eye = torch.eye(len(p), dtype=p.dtype)
    return p @ (lower.tril(-1) + eye) @ (upper.triu(1) + torch.diag(sign * torch.exp(log_s)))


def coupled(x: Tensor, shift: Tensor, raw: Tensor | None) -> tuple[Tensor, Tensor]:
    """The second half of the channels shifted and, with ``raw``, scaled; the log-determinant."""
    first, second = x.chunk(2, 1)
    if raw is None:
        return torch.cat((first, second + shift), 1), x.new_zeros(len(x))
    scale = torch.sigmoid(raw + 2)
    return torch.cat((first, (second + shift) * scale), 1), scale.log().flatten(1).sum(1)


def standardised(z: Tensor, mean: Tensor, log_std: Tensor) -> tuple[Tensor, Tensor]:
    """The latent of a standard normal, and the log-density under the prior."""
    terms = -0.5 * (math.log(2 * math.pi) + 2 * log_std + (z - mean) ** 2 / (2 * log_std).exp())
    return ((z - mean) / log_std.exp()).flatten(1), terms.flatten(1).sum(1)
