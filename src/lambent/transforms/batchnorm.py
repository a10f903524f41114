"""Batch normalisation as a layer of a flow."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from lambent.core.transform import Transform, zero_log_det
from lambent.types import Context, PerSample, X, Z


class BatchNorm(Transform):
    r"""``z = (x - m) / sqrt(v + eps)`` for each channel; ``V = -(places)/2 sum_c ln(v_c + eps)``.

    In training, forward takes ``m`` and ``v`` from the minibatch, with gradients, and moves the
    running statistics towards them. In evaluation, and always backwards, they are the running
    statistics, which are constants: the likelihood of an event then does not depend on its batch.
    :func:`lambent.initialize` sets the running statistics from the first batch.

    Args:
        channels: Channels ``c``.
        momentum: Share of the newest batch in the running statistics.
        eps: Added to the variance.

    Shape:
        ``(b, c, *)`` both ways.

    Raises:
        ValueError: If an event has other channels, ``momentum`` or ``eps`` is out of range, or a
            batch in training holds but one number of each channel.

    References:
        L. Dinh et al., "Density estimation using Real NVP", 2017, arXiv:1605.08803, section 3.7
        and appendix E.
    """

    mean: Tensor
    variance: Tensor
    initialized: Tensor

    def __init__(self, channels: int, *, momentum: float = 0.1, eps: float = 1e-4) -> None:
        super().__init__()
        if not 0 < momentum <= 1:
            raise ValueError(f"momentum: expected more than 0, at most 1, got {momentum}")
        if not eps > 0:
            raise ValueError(f"eps: expected more than 0, got {eps}")
        self.momentum = momentum
        self.eps = eps
        self.register_buffer("mean", torch.zeros(channels))
        self.register_buffer("variance", torch.ones(channels))
        self.register_buffer("initialized", torch.tensor(False))

    def forward(self, x: X, context: Context | None = None) -> tuple[Z, PerSample]:
        """Normalise, by the batch in training."""
        self._check(x)
        if not self.training:
            return self._normalised(x, self.mean, self.variance)
        mean, variance = self._statistics(x)
        with torch.no_grad():
            self.mean.lerp_(mean.to(self.mean.dtype), self.momentum)
            self.variance.lerp_(variance.to(self.variance.dtype), self.momentum)
        return self._normalised(x, mean, variance)

    def inverse(self, z: Z, context: Context | None = None) -> tuple[X, PerSample]:
        """Undo, by the running statistics."""
        self._check(z)
        scale = _per_channel((self.variance + self.eps).sqrt(), z)
        return z * scale + _per_channel(self.mean, z), -self._log_det(z, self.variance)

    def _normalised(self, x: Tensor, mean: Tensor, variance: Tensor) -> tuple[Tensor, Tensor]:
        scale = _per_channel((variance + self.eps).rsqrt(), x)
        return (x - _per_channel(mean, x)) * scale, self._log_det(x, variance)

    def _log_det(self, x: Tensor, variance: Tensor) -> Tensor:
        places = math.prod(x.shape[2:])
        return zero_log_det(x) - 0.5 * places * (variance + self.eps).log().sum()

    def _statistics(self, x: Tensor) -> tuple[Tensor, Tensor]:
        by_channel = x.transpose(0, 1).flatten(1)
        if by_channel.shape[1] < 2:
            raise ValueError("x: expected at least 2 events to take batch statistics from, got 1")
        return by_channel.mean(1), by_channel.var(1, correction=0)

    def _check(self, x: Tensor) -> None:
        if x.shape[1] != len(self.mean):
            raise ValueError(f"x: expected {len(self.mean)} channels, got {x.shape[1]}")

    @torch.no_grad()
    def initialize_from(self, x: Tensor, context: Context | None = None) -> None:
        """Set the running statistics from a batch."""
        mean, variance = self._statistics(x.double())
        self.mean.copy_(mean)
        self.variance.copy_(variance)
        self.initialized.fill_(1)

    def extra_repr(self) -> str:
        """What ``repr`` shows."""
        return f"{len(self.mean)}, momentum={self.momentum:g}, eps={self.eps:g}"


def _per_channel(values: Tensor, x: Tensor) -> Tensor:
    return values.reshape(-1, *([1] * (x.ndim - 2)))
