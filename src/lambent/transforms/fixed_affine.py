"""Scales and shifts that are known and not learned."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from lambent.core.transform import Transform, sum_event, zero_log_det
from lambent.types import Context, PerSample, X, Z


class FixedAffine(Transform):
    r"""``z_i = (x_i - m_i) / s_i``, ``V = -sum_i ln s_i``, with centres and scales that are known.

    The data's side is float64: numbers far from 0 beside their scale lose nothing.

    Args:
        centre: ``m``, one for each number of an event.
        scale: ``s``, above 0.
        wide: Whether the latent's side is float64 too, and not of the module's precision.

    Shape:
        ``(b, d)`` both ways; back to float64.

    Raises:
        ValueError: If a scale is not above 0, or there are not as many as centres.

    Example:
        >>> FixedAffine([10.0], [2.0])(torch.tensor([[14.0]]))[0]
        tensor([[2.]])
    """

    cheap_inverse = True
    centre: Tensor
    scale: Tensor

    def __init__(
        self, centre: Sequence[float], scale: Sequence[float], *, wide: bool = False
    ) -> None:
        super().__init__()
        self.wide = wide
        if len(centre) != len(scale) or not all(s > 0 for s in scale):
            raise ValueError(f"scale: expected {len(centre)} numbers above 0, got {list(scale)}")
        # Two float32 numbers hold what one cannot, whatever precision the flow is cast to.
        exact = torch.tensor(list(centre), dtype=torch.float64)
        self.register_buffer("centre", exact.float())
        self.register_buffer("centre_rest", (exact - exact.float().double()).float())
        self.register_buffer("scale", torch.tensor(list(scale), dtype=torch.float64).float())

    def _log_det(self, x: Tensor) -> Tensor:
        return zero_log_det(x) - sum_event(self.scale.double().log()[None]).to(zero_log_det(x))

    def _centre(self) -> Tensor:
        rest = self.centre_rest
        assert isinstance(rest, Tensor)
        return self.centre.double() + rest.double()

    def forward(self, x: X, context: Context | None = None) -> tuple[Z, PerSample]:
        """Into the scale's units."""
        z = (x.double() - self._centre()) / self.scale.double()
        return z if self.wide else z.to(self.scale.dtype), self._log_det(x)

    def inverse(self, z: Z, context: Context | None = None) -> tuple[X, PerSample]:
        """Back to one's own."""
        x = z.double() * self.scale.double() + self._centre()
        return x, -self._log_det(z)

    def extra_repr(self) -> str:
        """What ``repr`` shows."""
        return f"{len(self.scale)}"
