"""A flow: a transform and a base density, together a density again."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from lambent.core.compose import worst
from lambent.core.distribution import Distribution, count_draws, repeat_context
from lambent.core.torch_distribution import TorchDistribution
from lambent.core.transform import Transform, check_context
from lambent.types import Context, Likelihood, PerSample, X, Z


class Flow(Distribution):
    r"""A normalizing flow: ``log p(x | c) = log p_base(f(x; c) | c) + V(x; c)``.

    It is a distribution, so it can serve as another flow's base, decoder or dequantiser.

    Args:
        transform: The map from data to latent.
        base: The density of the latent.
        context_encoder: A network that turns the context the caller gives (labels, say) into the
            context the layers read; the caller's own reaches them where there is none.

    Example:
        >>> from lambent.distributions import StandardNormal
        >>> from lambent.transforms import ActNorm
        >>> flow = Flow(ActNorm(2), StandardNormal((2,)))
        >>> flow.sample(3).shape
        torch.Size([3, 2])
    """

    def __init__(
        self,
        transform: Transform,
        base: Distribution,
        *,
        context_encoder: nn.Module | None = None,
    ) -> None:
        super().__init__()
        self.transform = transform
        self.base = base
        self.context_encoder = context_encoder
        self.event_shape = transform.inverse_shape(base.event_shape)
        self.recipe: tuple[str, object] | None = None
        """Family name and config, where a registered family built this flow."""

    def encode_context(self, context: Context | None) -> Context | None:
        """The context as the layers read it.

        Args:
            context: One row for each event, as the caller gives it.

        Returns:
            What the context encoder makes of it; the context itself where there is none.

        Raises:
            ValueError: If the flow is conditional and no context is given.
        """
        if self.context_encoder is None:
            return context
        if context is None:
            raise ValueError(
                "context: this flow is conditional; expected one row of context for each event, "
                "got None"
            )
        encoded: Context = self.context_encoder(context)
        return encoded

    def check_event(self, x: Tensor, context: Context | None = None) -> None:
        """Raise unless ``x`` is a batch of this flow's events with matching context rows.

        Args:
            x: What should be ``(b, *event_shape)``.
            context: What should have one row for each event.

        Raises:
            ValueError: If the event shape or the number of context rows differs.
        """
        if x.ndim == 0 or tuple(x.shape[1:]) != tuple(self.event_shape):
            raise ValueError(
                f"x: expected a batch of events of shape {tuple(self.event_shape)}, "
                f"got {tuple(x.shape)}"
            )
        check_context(x, context)

    def log_prob(self, x: X, context: Context | None = None) -> PerSample:
        """The log-likelihood of each event, in nats; see :attr:`likelihood` for its kind.

        Args:
            x: Events in their own units (uint8 pixels for an image flow), ``(b, *event_shape)``.
            context: One row for each event.

        Returns:
            Nats, ``(b,)``.
        """
        self.check_event(x, context)
        context = self.encode_context(context)
        z, log_det = self.transform(x, context)
        log_prob: Tensor = self.base(z, context) + log_det
        return log_prob

    def rsample(
        self,
        n: int | None = None,
        context: Context | None = None,
        *,
        temperature: float | Tensor = 1.0,
    ) -> X:
        """Draw from the base at a temperature and map to data; see :meth:`Distribution.rsample`."""
        count_draws(n, context)
        context = self.encode_context(context)
        z = self.base.rsample(n, context, temperature=temperature)
        return self.transform.inverse(z, repeat_context(context, n))[0]

    def rsample_and_log_prob(
        self, n: int | None = None, context: Context | None = None
    ) -> tuple[X, PerSample]:
        """Draw events with the log-density of each from the same pass.

        Where ``likelihood`` is ``bound``, the value is that of the latent the event was drawn from:
        in the mean it lies *above* the log-likelihood, as the bound of ``log_prob`` lies below.
        """
        context = self.encode_context(context)
        z, log_prob = self.base.rsample_and_log_prob(n, context)
        x, minus_log_det = self.transform.inverse(z, repeat_context(context, n))
        return x, log_prob - minus_log_det

    @torch.no_grad()
    def encode(self, x: X, context: Context | None = None) -> Z:
        """The latent of each event, drawing nothing: ``decode`` gives the event back."""
        self.check_event(x, context)
        return self.transform.encode(x, self.encode_context(context))

    @torch.no_grad()
    def decode(self, z: Z, context: Context | None = None) -> X:
        """The event of each latent, drawing nothing; latents of another shape are refused."""
        if tuple(z.shape[1:]) != tuple(self.base.event_shape):
            raise ValueError(
                f"z: expected a batch of latents of shape {tuple(self.base.event_shape)}, "
                f"got {tuple(z.shape)}"
            )
        check_context(z, context)
        return self.transform.decode(z, self.encode_context(context))

    def as_distribution(self, context: Context | None = None) -> torch.distributions.Distribution:
        """This flow, given a context, as a ``torch.distributions`` object.

        Args:
            context: ``m`` rows, which become a batch shape of ``(m,)``; none gives ``()``.

        Returns:
            The distribution.
        """
        return TorchDistribution(self, context)

    @property
    def likelihood(self) -> Likelihood:
        """The worst of the transform's and the base's."""
        return worst(self.transform.likelihood, self.base.likelihood)

    @property
    def one_centre(self) -> bool:
        """Whether the base has one."""
        return self.base.one_centre
