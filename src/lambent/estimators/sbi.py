"""A flow as the density estimator of sbi, the toolbox of simulation-based inference."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import torch
from torch import Tensor, nn

from lambent.core.flow import Flow
from lambent.core.initialize import initialize
from lambent.core.registry import build, families
from lambent.data import read_table
from lambent.errors import MissingExtraError

try:
    from sbi.neural_nets.estimators.base import ConditionalDensityEstimator
except ImportError as error:
    raise MissingExtraError("sbi", "sbi") from error

Builder: TypeAlias = "Callable[[Tensor, Tensor], SBIEstimator]"
"""What sbi's trainers take as ``density_estimator``."""

INITIAL_ROWS = 4096
"""Pairs that data-initialised layers are set from."""


class SBIEstimator(ConditionalDensityEstimator):  # type: ignore[misc]
    """A conditional flow with the interface of sbi 0.27.

    Args:
        flow: The flow over what is inferred, ``(d,)``, conditional on vectors.
        embedding_net: What makes a vector of a condition; none where it is one.
        condition_shape: Shape of a condition.

    Shape:
        Inputs are ``(s, b, d)`` or ``(b, d)``, conditions ``(b, *condition_shape)`` or
        ``(s, b, *condition_shape)``.
    """

    def __init__(
        self, flow: Flow, embedding_net: nn.Module | None, condition_shape: torch.Size
    ) -> None:
        super().__init__(flow, torch.Size(flow.event_shape), condition_shape)
        self._embedding = nn.Identity() if embedding_net is None else embedding_net

    @property
    def embedding_net(self) -> nn.Module:
        """What makes a vector of a condition."""
        return self._embedding

    def _context(self, condition: Tensor) -> Tensor:
        embedded: Tensor = self._embedding(condition)
        return embedded.reshape(len(condition), -1)

    def log_prob(self, input: Tensor, condition: Tensor, **_: Any) -> Tensor:
        """Nats of each input, ``(s, b)``."""
        rank = len(self.condition_shape)
        lead = torch.broadcast_shapes(
            input.shape[:-1] if input.ndim > 2 else (1, *input.shape[:-1]),
            condition.shape[: condition.ndim - rank],
        )
        events = input.expand(*lead, *self.input_shape).reshape(-1, *self.input_shape)
        given = condition.expand(*lead, *self.condition_shape).reshape(-1, *self.condition_shape)
        nats: Tensor = self.net.log_prob(events, self._context(given))
        return nats.to(input.dtype).reshape(lead)

    def loss(self, input: Tensor, condition: Tensor, **_: Any) -> Tensor:
        """Minus the nats of each pair, ``(b,)``."""
        nats: Tensor = self.log_prob(input[None], condition)[0]
        return nats.neg()

    def sample(
        self, sample_shape: torch.Size | tuple[int, ...], condition: Tensor, **_: Any
    ) -> Tensor:
        """Draws, ``(*sample_shape, b, d)``."""
        shape = torch.Size(sample_shape)
        flat: Tensor = self.net.sample(shape.numel(), self._context(condition))
        by_condition = flat.to(condition.dtype).reshape(
            len(condition), shape.numel(), *self.input_shape
        )
        return by_condition.transpose(0, 1).reshape(*shape, len(condition), *self.input_shape)


def posterior_builder(
    model: str = "nsf", *, embedding_net: nn.Module | None = None, **settings: object
) -> Builder:
    """A flow over parameters given what was simulated: what sbi's ``NPE`` takes.

    Both are standardised inside the flow.

    Args:
        model: A family of vectors that takes a context, such as ``nsf`` or ``maf``.
        embedding_net: What makes a vector of what was simulated, trained along; for images and
            the like.
        **settings: Fields of the family's config.

    Returns:
        ``build(theta, x)``, which sbi calls with the first simulations.

    Raises:
        ValueError: If the family is unknown.

    References:
        J. Boelts et al., "sbi reloaded: a toolkit for simulation-based inference workflows", 2025,
        arXiv:2411.17337.

    Example:
        >>> theta, x = torch.randn(50, 2), torch.randn(50, 3)
        >>> estimator = posterior_builder("maf", width=8)(theta, x)
        >>> estimator.sample((4,), x[:5]).shape
        torch.Size([4, 5, 2])
    """
    _check(model)

    def build_for(theta: Tensor, x: Tensor) -> SBIEstimator:
        return _estimator(model, theta, x, embedding_net, settings)

    return build_for


def likelihood_builder(model: str = "nsf", **settings: object) -> Builder:
    """A flow over what is simulated given parameters: what sbi's ``NLE`` takes.

    Args:
        model: A family of vectors that takes a context.
        **settings: Fields of the family's config.

    Returns:
        ``build(theta, x)``, which sbi calls with the first simulations.

    Raises:
        ValueError: If the family is unknown.

    Example:
        >>> theta, x = torch.randn(50, 2), torch.randn(50, 3)
        >>> likelihood_builder("maf", width=8)(theta, x).sample((4,), theta[:5]).shape
        torch.Size([4, 5, 3])
    """
    _check(model)

    def build_for(theta: Tensor, x: Tensor) -> SBIEstimator:
        return _estimator(model, x, theta, None, settings)

    return build_for


def _check(model: str) -> None:
    if model not in families():
        raise ValueError(f"model: expected a family of vectors, got '{model}'")


def _estimator(
    model: str,
    events: Tensor,
    given: Tensor,
    embedding_net: nn.Module | None,
    settings: dict[str, object],
) -> SBIEstimator:
    """A flow over events given others, standardised and initialised by the first of them."""
    some, conditions = events[:INITIAL_ROWS].detach(), given[:INITIAL_ROWS].detach()
    fields: dict[str, object] = {
        "shape": (events.shape[1],),
        "columns": read_table(some.cpu().numpy()).columns,
    }
    if embedding_net is None:
        vectors = conditions.flatten(1)
        fields["context_columns"] = read_table(vectors.cpu().numpy()).columns
    else:
        with torch.no_grad():
            vectors = embedding_net(conditions).flatten(1)
    fields["context_features"] = vectors.shape[1]
    flow = build(model, {**fields, **settings}).to(events.device)
    initialize(flow, some, vectors)
    return SBIEstimator(flow, embedding_net, given.shape[1:])
