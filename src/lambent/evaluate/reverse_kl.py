"""The divergence of a flow from a density that is known up to a factor."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from lambent.core.distribution import Distribution
from lambent.types import Context


def reverse_kl(
    flow: Distribution,
    log_density: Callable[[Tensor], Tensor],
    n: int | None = None,
    context: Context | None = None,
) -> Tensor:
    r"""``KL(q | p)`` less ``ln Z``, from draws: the mean of ``log q(x) - log p~(x)``.

    ``p = p~ / Z``. Its gradients reach the flow through the draws, so that it can be minimised: the
    flow becomes a sampler of ``p``, and minus the value a lower bound of ``ln Z`` (the ELBO, where
    ``p~(z)`` is ``p(data, z)``). A flow whose draws are cheap, as those of an IAF are, is made for
    it.

    Args:
        flow: ``q``.
        log_density: ``log p~`` of events ``(b, *event_shape)``, nats, ``(b,)``.
        n: Draws, for each row of context where there is one; one if not given.
        context: What the flow is conditioned on; the draws of a row stay together.

    Returns:
        Nats, a scalar.

    Raises:
        ValueError: If ``log_density`` does not give one number for each event.

    References:
        D. Rezende and S. Mohamed, "Variational Inference with Normalizing Flows", 2015,
        arXiv:1505.05770, eq. 15.

    Example:
        >>> from lambent.core import Flow, seeded
        >>> from lambent.distributions import StandardNormal
        >>> from lambent.transforms import ActNorm
        >>> flow = Flow(ActNorm(2), StandardNormal((2,)))
        >>> with seeded(0):
        ...     kl = reverse_kl(flow, StandardNormal((2,)).log_prob, 100)
        >>> round(abs(kl.item()), 3)
        0.0
    """
    x, log_q = flow.rsample_and_log_prob(n, context)
    log_p = log_density(x)
    if log_p.shape != log_q.shape:
        raise ValueError(
            f"log_density: expected one number for each of {len(log_q)} events, "
            f"got shape {tuple(log_p.shape)}"
        )
    return torch.mean(log_q - log_p)
