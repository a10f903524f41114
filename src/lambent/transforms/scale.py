"""A learned factor for each number of the event."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from lambent.core.transform import Transform, sum_event, zero_log_det
from lambent.types import Context, PerSample, Size, X, Z


class Scale(Transform):
    r"""``z_i = x_i exp(s_i)``; ``V = sum_i s_i``.

    :func:`lambent.initialize` sets ``s`` so that each number of the first batch leaves with a
    standard deviation of 1; one that is constant over the batch keeps its scale.

    Args:
        shape: Shape of one event.

    Shape:
        ``(b, *shape)`` both ways.

    Raises:
        ValueError: If an event has another shape.

    References:
        L. Dinh et al., "NICE: Non-linear Independent Components Estimation", 2015,
        arXiv:1410.8516, section 3.3.
    """

    cheap_inverse = True
    initialized: Tensor

    def __init__(self, shape: Size) -> None:
        super().__init__()
        self.log_scale = nn.Parameter(torch.zeros(tuple(shape)))
        self.register_buffer("initialized", torch.tensor(False))

    def _check(self, x: Tensor) -> None:
        if x.shape[1:] != self.log_scale.shape:
            raise ValueError(
                f"x: expected events of shape {tuple(self.log_scale.shape)}, "
                f"got {tuple(x.shape[1:])}"
            )

    def _log_det(self, x: Tensor) -> Tensor:
        return zero_log_det(x) + sum_event(self.log_scale[None])

    def forward(self, x: X, context: Context | None = None) -> tuple[Z, PerSample]:
        """Scale."""
        self._check(x)
        return x * self.log_scale.exp(), self._log_det(x)

    def inverse(self, z: Z, context: Context | None = None) -> tuple[X, PerSample]:
        """Undo the scale."""
        self._check(z)
        return z * (-self.log_scale).exp(), -self._log_det(z)

    @torch.no_grad()
    def initialize_from(self, x: Tensor, context: Context | None = None) -> None:
        """Set the scale from a batch."""
        values = x.detach().double()
        std = values.var(0, correction=0).sqrt()
        constant = std <= 1e-6 * (1 + values.mean(0).abs())  # as for the actnorm
        self.log_scale.copy_(torch.where(constant, 0.0, -(std + 1e-6).log()))
        self.initialized.fill_(1)

    def extra_repr(self) -> str:
        """What ``repr`` shows."""
        return f"{tuple(self.log_scale.shape)}"
