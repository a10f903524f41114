"""The protocol of densities: one batch dimension, a context, a temperature."""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn

from lambent.types import Context, Likelihood, PerSample, Size, X


class Distribution(nn.Module, ABC):
    """A density over events that can be drawn from.

    A subclass implements ``log_prob`` and ``rsample``. ``forward`` is the density too, so that
    ``torch.compile`` and data-parallel wrappers have the call they expect.
    """

    event_shape: Size

    @abstractmethod
    def log_prob(self, x: X, context: Context | None = None) -> PerSample:
        """The log-density of each event.

        Args:
            x: Events, ``(b, *event_shape)``.
            context: One row for each event, ``(b, *c)``.

        Returns:
            Nats, ``(b,)``.
        """

    @abstractmethod
    def rsample(
        self,
        n: int | None = None,
        context: Context | None = None,
        *,
        temperature: float | Tensor = 1.0,
    ) -> X:
        """Draw events, with gradients to the parameters where the density allows them.

        Args:
            n: How many events for each row of context; one if not given.
            context: ``m`` rows.
            temperature: Multiplies the scale of the base; a number or one for each event drawn.

        Returns:
            ``(n, *event_shape)`` without context, ``(m * n, *event_shape)`` with: all draws of the
            first row, then all of the second.
        """

    def forward(self, x: X, context: Context | None = None) -> PerSample:
        """The log-density; what ``torch.compile`` and DDP wrap."""
        return self.log_prob(x, context)

    @torch.no_grad()
    def sample(
        self,
        n: int | None = None,
        context: Context | None = None,
        *,
        temperature: float | Tensor = 1.0,
    ) -> X:
        """Draw events without gradients; arguments and result as :meth:`rsample`."""
        return self.rsample(n, context, temperature=temperature)

    def rsample_and_log_prob(
        self, n: int | None = None, context: Context | None = None
    ) -> tuple[X, PerSample]:
        """Draw events and give the log-density of each, in one call."""
        x = self.rsample(n, context)
        return x, self.log_prob(x, repeat_context(context, n))

    @property
    def likelihood(self) -> Likelihood:
        """How far ``log_prob`` can be trusted."""
        return "exact"

    @property
    def one_centre(self) -> bool:
        """Whether all draws of one context are equal at temperature 0."""
        return True


def check_exact(noise: Distribution) -> None:
    """Raise unless a density can be drawn from on the way to the latent, its log subtracted.

    What bounds its density from below would overstate the bound of the event's.

    Args:
        noise: The density.

    Raises:
        ValueError: If its likelihood is not exact.
    """
    if noise.likelihood != "exact":
        raise ValueError(
            f"noise: expected a density of exact likelihood, got one of kind {noise.likelihood}"
        )


def repeat_context(context: Context | None, n: int | None) -> Context | None:
    """Repeat each row ``n`` times, copies staying together: ``(m, *c)`` to ``(m n, *c)``."""
    if context is None or n is None:
        return context
    if isinstance(context, tuple):
        return tuple(part.repeat_interleave(n, 0) for part in context)
    return context.repeat_interleave(n, 0)


def count_draws(n: int | None, context: Context | None) -> int:
    """How many events ``rsample(n, context)`` returns.

    Args:
        n: How many for each row of context; one if not given.
        context: ``m`` rows, or nothing, which counts as one.

    Returns:
        ``m * n``.

    Raises:
        ValueError: If ``n`` is less than 1.
    """
    if n is not None and n < 1:
        raise ValueError(f"n: expected at least 1 sample, got {n}")
    first = context[0] if isinstance(context, tuple) else context
    return (1 if n is None else n) * (1 if first is None else first.shape[0])


def scale_of_temperature(temperature: float | Tensor, like: Tensor) -> Tensor:
    """A temperature as a factor that broadcasts over events.

    Args:
        temperature: A number, or one for each event, ``(b,)``.
        like: The events, ``(b, *x)``, whose dtype and device the factor gets.

    Returns:
        ``(1, 1, ...)`` or ``(b, 1, ...)``.

    Raises:
        ValueError: If it is negative, or has neither one value nor one for each event.
    """
    factor = torch.as_tensor(temperature, dtype=like.dtype, device=like.device)
    if not torch.compiler.is_compiling() and bool((factor < 0).any()):
        raise ValueError(f"temperature: expected at least 0, got {factor.min().item():g}")
    if factor.ndim > 1 or (factor.ndim == 1 and len(factor) not in (1, len(like))):
        raise ValueError(
            f"temperature: expected a number or one for each of {len(like)} events, "
            f"got shape {tuple(factor.shape)}"
        )
    return factor.reshape(-1, *([1] * (like.ndim - 1)))
