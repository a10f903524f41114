"""A normal part beside a part that has to obey a rule: to equal the context."""

from __future__ import annotations

import torch
from torch import Tensor

from lambent.core.distribution import Distribution, repeat_context
from lambent.core.transform import sum_event
from lambent.distributions.normal import StandardNormal
from lambent.types import Context, Likelihood, PerSample, Size, X


class NormalAndRule(Distribution):
    r"""``log p(z, y | c) = log N(z; 0, I) - λ sum_i |y_i - c_i|``: first z's channels, then y's.

    The second term is the rule "y equals the context". It is the log-density of a Laplace
    distribution around the context but for the constant ``d_y ln(λ / 2)``, which is left out so
    that nothing is added where the rule is obeyed; hence the likelihood is ``approximate``. Draws
    obey the rule: z is drawn, y is the context. Temperature multiplies z.

    Args:
        event_shape: Shape of z and y together, channels first.
        channels: Channels of y, the last ones.
        weight: ``λ``, nats for each unit that y is off.

    Shape:
        Events ``(b, c + channels, *)``, context ``(b, channels, *)``.

    Raises:
        ValueError: If a number is out of range, or the context is of another shape.

    References:
        J. Hyatt, "Maximum likelihood on the joint (data, condition) distribution for solving
        ill-posed problems with conditional flow models", 2022, arXiv:2208.11782.

    Example:
        >>> base = NormalAndRule((3,), 1, 100.0)
        >>> base.sample(context=torch.tensor([[0.25]]))[0, 2]
        tensor(0.2500)
    """

    def __init__(self, event_shape: Size, channels: int, weight: float) -> None:
        super().__init__()
        if not 1 <= channels < event_shape[0]:
            raise ValueError(f"channels: expected 1 to {event_shape[0] - 1}, got {channels}")
        if not weight > 0:
            raise ValueError(f"weight: expected more than 0, got {weight}")
        self.event_shape = tuple(event_shape)
        self.channels = channels
        self.weight = weight
        self.normal = StandardNormal((event_shape[0] - channels, *event_shape[1:]))

    def asked(self, context: Context | None) -> Tensor:
        """The context, once it is found to be of the shape of y.

        Args:
            context: What was given.

        Returns:
            ``(b, channels, *)``.

        Raises:
            ValueError: If it is not.
        """
        wanted = (self.channels, *self.event_shape[1:])
        if not isinstance(context, Tensor) or tuple(context.shape[1:]) != wanted:
            given = tuple(context.shape) if isinstance(context, Tensor) else type(context).__name__
            raise ValueError(f"context: expected shape (b, *{wanted}), got {given}")
        return context

    def parts(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """The normal part of latents, ``(b, c, *)``, and the one that obeys the rule."""
        return x[:, : -self.channels], x[:, -self.channels :]

    def log_prob(self, x: X, context: Context | None = None) -> PerSample:
        """Nats, ``(b,)``, without the constant of the rule."""
        z, y = self.parts(x)
        off = sum_event((y - self.asked(context)).abs())
        log_prob: Tensor = self.normal(z) - self.weight * off
        return log_prob

    def rsample(
        self,
        n: int | None = None,
        context: Context | None = None,
        *,
        temperature: float | Tensor = 1.0,
    ) -> X:
        """Draw the normal part at a temperature; the other is the context."""
        y = self.asked(context)
        z = self.normal.rsample(n, y, temperature=temperature)
        repeated = repeat_context(y, n)
        assert isinstance(repeated, Tensor)
        return torch.cat((z, repeated.to(z.dtype)), 1)

    @property
    def likelihood(self) -> Likelihood:
        """The rule is no density."""
        return "approximate"

    def extra_repr(self) -> str:
        """What ``repr`` shows."""
        return f"{self.event_shape}, channels={self.channels}, weight={self.weight:g}"
