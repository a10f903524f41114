"""The condition put beside the event, for a flow over both."""

from __future__ import annotations

import torch
from torch import Tensor

from lambent.core.transform import Transform, check_context, zero_log_det
from lambent.types import Context, Likelihood, PerSample, Size, X, Z


class Append(Transform):
    r"""``z = (x, context)`` along the channels; the inverse leaves the context's channels out.

    ``V = 0``. The latents have more numbers than the events, so a flow's ``log_prob`` is that of
    the pair; it is the event's own, given the context, once the steps that follow hand the
    context's part on unchanged: ``approximate`` in general.

    Args:
        channels: Channels of the context.

    Shape:
        ``(b, c, *)`` and the context ``(b, channels, *)`` to ``(b, c + channels, *)``.

    Raises:
        ValueError: If the context is of another shape.

    References:
        J. Hyatt, "Maximum likelihood on the joint (data, condition) distribution for solving
        ill-posed problems with conditional flow models", 2022, arXiv:2208.11782.

    Example:
        >>> Append(1).forward_shape((2,))
        (3,)
    """

    onto = False
    cheap_inverse = True

    def __init__(self, channels: int) -> None:
        super().__init__()
        if channels < 1:
            raise ValueError(f"channels: expected at least 1, got {channels}")
        self.channels = channels

    def forward(self, x: X, context: Context | None = None) -> tuple[Z, PerSample]:
        """Put the context beside the event."""
        wanted = (len(x), self.channels, *x.shape[2:])
        if not isinstance(context, Tensor) or tuple(context.shape) != wanted:
            given = tuple(context.shape) if isinstance(context, Tensor) else type(context).__name__
            raise ValueError(f"context: expected shape {wanted}, got {given}")
        return torch.cat((x, context.to(x.dtype)), 1), zero_log_det(x)

    def inverse(self, z: Z, context: Context | None = None) -> tuple[X, PerSample]:
        """Leave the context's channels out."""
        check_context(z, context)
        return z[:, : -self.channels], zero_log_det(z)

    def forward_shape(self, shape: Size) -> Size:
        """More channels.

        Args:
            shape: ``(c, *)``.

        Returns:
            ``(c + channels, *)``.
        """
        return (shape[0] + self.channels, *shape[1:])

    def inverse_shape(self, shape: Size) -> Size:
        """Fewer channels.

        Args:
            shape: ``(c + channels, *)``.

        Returns:
            ``(c, *)``.

        Raises:
            ValueError: If no channel is left.
        """
        if shape[0] <= self.channels:
            raise ValueError(f"shape: expected more than {self.channels} channels, got {shape[0]}")
        return (shape[0] - self.channels, *shape[1:])

    @property
    def likelihood(self) -> Likelihood:
        """That of the pair stands for the event's."""
        return "approximate"

    def extra_repr(self) -> str:
        """What ``repr`` shows."""
        return f"{self.channels}"
