"""Invertible 1x1 convolutions: a learned generalisation of permuting the channels."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from lambent.core.transform import Transform, full_precision, zero_log_det
from lambent.types import Context, PerSample, X, Z


def mix_channels(x: Tensor, weight: Tensor) -> Tensor:
    """``y_i = sum_j W_ij x_j`` at every place: ``(b, c, *)`` and ``(c, c)`` to ``(b, c, *)``."""
    columns = x.flatten(2) if x.ndim > 2 else x.unsqueeze(2)
    return torch.matmul(weight, columns).reshape(x.shape)


def in_float64(weight: Tensor) -> Tensor:
    """A weight in float64; on the CPU where its device has no such numbers (MPS)."""
    return (weight.cpu() if weight.device.type == "mps" else weight).double()


def random_rotation(channels: int) -> Tensor:
    """The orthogonal factor of a standard normal matrix, ``(c, c)``."""
    rotation: Tensor = torch.linalg.qr(torch.randn(channels, channels, dtype=torch.float64))[0]
    return rotation


class ChannelMix(Transform):
    """What the two parametrisations of a 1x1 convolution share: ``z = W x`` at every place.

    ``V = (places) ln |det W|``. The inverse weight is found in float64.
    """

    cheap_inverse = True

    @classmethod
    @abstractmethod
    def stacked(cls, layers: Sequence[Any]) -> tuple[Tensor, Tensor]:
        """``W`` and ``ln |det W|`` of several layers in one go, ``(k, c, c)`` and ``(k,)``."""

    def weight(self) -> Tensor:
        """``W``, ``(c, c)``."""
        return self.stacked([self])[0][0]

    def log_abs_det(self) -> Tensor:
        """``ln |det W|``, a scalar."""
        return self.stacked([self])[1][0]

    def _log_det(self, x: Tensor) -> Tensor:
        return zero_log_det(x) + math.prod(x.shape[2:]) * self.log_abs_det()

    def forward(self, x: X, context: Context | None = None) -> tuple[Z, PerSample]:
        """Mix the channels."""
        with full_precision(x):
            return mix_channels(x, self.weight()), self._log_det(x)

    def inverse(self, z: Z, context: Context | None = None) -> tuple[X, PerSample]:
        """Unmix the channels."""
        with full_precision(z):
            weight = torch.linalg.inv(in_float64(self.weight())).to(z)
            return mix_channels(z, weight), -self._log_det(z)


class InvertibleConv1x1(ChannelMix):
    r"""An invertible 1x1 convolution with a free weight, a random rotation at first.

    ``ln |det W|`` costs ``O(c^3)`` and is computed in float64.

    Args:
        channels: Channels ``c``.

    Shape:
        ``(b, c, *)`` both ways.

    References:
        D. Kingma and P. Dhariwal, "Glow", 2018, arXiv:1807.03039, section 3.2.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.matrix = nn.Parameter(random_rotation(channels).to(torch.get_default_dtype()))

    @classmethod
    def stacked(cls, layers: Sequence[Any]) -> tuple[Tensor, Tensor]:
        """The parameters, and their determinants by LU decomposition in float64."""
        weight = torch.stack([layer.matrix for layer in layers])
        log_abs_det: Tensor = torch.linalg.slogdet(in_float64(weight))[1]
        return weight, log_abs_det.to(weight)


class PLUConv1x1(ChannelMix):
    r"""An invertible 1x1 convolution kept as ``W = P (L + I) (U + diag(sign e^s))``.

    ``P`` and the signs are fixed; ``ln |det W| = sum s``, so the log-determinant is free.

    Args:
        channels: Channels ``c``.

    Shape:
        ``(b, c, *)`` both ways.

    References:
        D. Kingma and P. Dhariwal, "Glow", 2018, arXiv:1807.03039, section 3.2, "LU decomposition".
    """

    permutation: Tensor
    sign: Tensor

    def __init__(self, channels: int) -> None:
        super().__init__()
        dtype = torch.get_default_dtype()
        permutation, lower, upper = torch.linalg.lu(random_rotation(channels))
        diagonal = upper.diagonal()
        self.register_buffer("permutation", permutation.to(dtype))
        self.register_buffer("sign", diagonal.sign().to(dtype))
        self.lower = nn.Parameter(lower.tril(-1).to(dtype))
        self.upper = nn.Parameter(upper.triu(1).to(dtype))
        self.log_scale = nn.Parameter(diagonal.abs().log().to(dtype))

    def check_state(self) -> None:
        """Raise unless ``P`` is a permutation and the signs are signs, as after reading a file."""
        ones = torch.ones_like(self.sign)
        lines = [self.permutation.abs().sum(axis) for axis in (0, 1)]
        whole = bool(((self.permutation == 0) | (self.permutation == 1)).all())
        if not (whole and all(torch.equal(line, ones) for line in lines)):
            raise ValueError("permutation: expected a permutation matrix, got another")
        if not torch.equal(self.sign.abs(), ones):
            raise ValueError("sign: expected 1 or -1 for each channel, got others")

    @classmethod
    def stacked(cls, layers: Sequence[Any]) -> tuple[Tensor, Tensor]:
        """The products of the factors, and the sums of the log-scales."""
        permutation = torch.stack([layer.permutation for layer in layers])
        log_scale = torch.stack([layer.log_scale for layer in layers])
        diagonal = torch.stack([layer.sign for layer in layers]) * log_scale.exp()
        lower = torch.stack([layer.lower for layer in layers]).tril(-1)
        upper = torch.stack([layer.upper for layer in layers]).triu(1)
        unit = torch.eye(lower.shape[-1], dtype=lower.dtype, device=lower.device)
        weight = permutation @ (lower + unit) @ (upper + torch.diag_embed(diagonal))
        return weight, log_scale.sum(-1)
