"""Dropping channels, and adding them."""

from __future__ import annotations

import torch

from lambent.core.compose import worst
from lambent.core.distribution import Distribution, check_exact
from lambent.core.kept import with_context
from lambent.core.transform import Inverse, Transform
from lambent.types import Context, Likelihood, PerSample, Size, X, Z


class Slice(Transform):
    r"""Drop the last channels: ``z = x_1``, ``V = log p(x_2 | z)``; back, ``x_2 ~ p(x_2 | z)``.

    The likelihood is exact where that of ``p`` is: what is lost on the way to the latent has a
    density of its own. Forward costs one density of ``p``, the inverse one draw. ``decode`` takes
    its draw at temperature 0.

    Args:
        dropped: ``p``, over the last channels, ``(d, *)``. Its context is ``z``, or
            ``(z, *context)`` where the caller gives one.

    Shape:
        ``(b, c, *)`` to ``(b, c - d, *)``; back.

    Raises:
        ValueError: If an event has no more channels than are dropped.

    References:
        D. Nielsen et al., "SurVAE Flows", 2020, arXiv:2007.02731.

    Example:
        >>> from lambent.distributions import StandardNormal
        >>> Slice(StandardNormal((2,)))(torch.zeros(3, 5))[0].shape
        torch.Size([3, 3])
    """

    stochastic_inverse = True

    def __init__(self, dropped: Distribution) -> None:
        super().__init__()
        self.dropped = dropped
        self.channels = dropped.event_shape[0]

    def forward(self, x: X, context: Context | None = None) -> tuple[Z, PerSample]:
        """Keep the first channels, and take the density of the last."""
        (kept,) = self.forward_shape(tuple(x.shape[1:2]))
        z, rest = x[:, :kept], x[:, kept:]
        return z, self.dropped(rest, with_context(z, context))

    def encode(self, x: X, context: Context | None = None) -> Z:
        """Keep the first channels; the density is not asked."""
        (kept,) = self.forward_shape(tuple(x.shape[1:2]))
        return x[:, :kept]

    def inverse(self, z: Z, context: Context | None = None) -> tuple[X, PerSample]:
        """Draw the last channels."""
        rest, log_prob = self.dropped.rsample_and_log_prob(None, with_context(z, context))
        return torch.cat((z, rest), 1), -log_prob

    def decode(self, z: Z, context: Context | None = None) -> X:
        """Take the last channels from the centre of their density."""
        return torch.cat(
            (z, self.dropped.rsample(None, with_context(z, context), temperature=0.0)), 1
        )

    def forward_shape(self, shape: Size) -> Size:
        """Fewer channels."""
        if shape[0] <= self.channels:
            raise ValueError(
                f"x: expected more than the {self.channels} channels that are dropped, "
                f"got {shape[0]}"
            )
        return (shape[0] - self.channels, *shape[1:])

    def inverse_shape(self, shape: Size) -> Size:
        """More channels."""
        return (shape[0] + self.channels, *shape[1:])

    @property
    def likelihood(self) -> Likelihood:
        """That of the density of what is dropped."""
        return worst(super().likelihood, self.dropped.likelihood)


class Augment(Inverse):
    r"""Add channels: ``z = (x, e)`` with ``e ~ q(e | x)``, ``V = -log q(e | x)``; back, drop ``e``.

    The likelihood is a bound, and the flow that follows has more room than the data. It is
    :class:`Slice` read backwards.

    Args:
        noise: ``q``, over the added channels, ``(d, *)``. Its context is ``x``, or
            ``(x, *context)``.

    Raises:
        ValueError: If the noise has no exact density.

    References:
        C.-W. Huang et al., "Augmented Normalizing Flows", 2020, arXiv:2002.07101.

    Example:
        >>> from lambent.distributions import StandardNormal
        >>> Augment(StandardNormal((2,)))(torch.zeros(3, 5))[0].shape
        torch.Size([3, 7])
    """

    def __init__(self, noise: Distribution) -> None:
        check_exact(noise)
        super().__init__(Slice(noise))
