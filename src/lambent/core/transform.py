"""The protocol every layer follows: a transform that keeps an honest ledger of likelihood."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Generator
from contextlib import AbstractContextManager, nullcontext
from typing import NamedTuple

import torch
from torch import Tensor, nn

from lambent.core.rebuild import Rebuilt, invert_and_vjp
from lambent.types import Context, Likelihood, PerSample, Size, X, Z


class Entry(NamedTuple):
    """One line of the ledger: what one named step added to the log-likelihood."""

    path: str
    """Dotted name of the step."""
    z: Tensor
    """What the step put out, ``(b, *z)``."""
    log_likelihood: Tensor
    """The step's contribution, nats, ``(b,)``."""


class Transform(nn.Module, ABC):
    r"""A map from data to latent that says what it adds to the log-likelihood.

    ``forward`` returns ``z`` and a contribution ``V`` with ``log p(x) = log p(z) + V``; ``inverse``
    returns ``x`` and minus the contribution of the pair it returns. For a bijection ``V`` is
    ``log |det dz/dx|``; see the concepts page for surjections, stochastic and discrete layers.

    A subclass implements ``forward`` and ``inverse``, and whichever of ``encode``, ``decode``,
    ``forward_shape`` and ``inverse_shape`` the defaults do not serve. Both directions are pure.

    References:
        D. Nielsen et al., "SurVAE Flows", 2020, arXiv:2007.02731 (the contribution ``V``).
    """

    stochastic_forward: bool = False
    """z is drawn given x: log_prob is a lower bound."""
    stochastic_inverse: bool = False
    """x is not determined by z: inverse(forward(x)) may differ from x."""
    onto: bool = True
    """Every latent is the image of an event; False where forward(inverse(z)) may differ from z."""
    discrete: bool = False
    """Integers to integers, no contribution, the inverse bit-exact."""
    cheap_inverse: bool = False
    """The inverse costs about one forward."""
    compiles: bool = True
    """torch.compile takes both directions whole; False with a reason in the docstring."""

    @abstractmethod
    def forward(self, x: X, context: Context | None = None) -> tuple[Z, PerSample]:
        """Map data to latent.

        Args:
            x: Events, ``(b, *x)``.
            context: What the map is conditioned on.

        Returns:
            ``z`` of shape ``(b, *z)`` and the contribution ``V`` in nats, ``(b,)``.
        """

    @abstractmethod
    def inverse(self, z: Z, context: Context | None = None) -> tuple[X, PerSample]:
        """Map latent to data.

        Args:
            z: Latents, ``(b, *z)``.
            context: What the map is conditioned on.

        Returns:
            ``x`` of shape ``(b, *x)`` and ``-V`` of the pair ``(x, z)`` in nats, ``(b,)``.
        """

    def encode(self, x: X, context: Context | None = None) -> Z:
        """Map data to latent without drawing anything."""
        return self.forward(x, context)[0]

    def decode(self, z: Z, context: Context | None = None) -> X:
        """Map latent to data without drawing anything."""
        return self.inverse(z, context)[0]

    def invert_and_vjp(
        self, z: Z, grad_z: Tensor, grad_log_det: PerSample, context: Context | None = None
    ) -> Rebuilt:
        """Find ``x`` from ``z``, and the gradients of ``x``, context and parameters.

        For bijections that draw nothing. The default inverts and then runs forward again.

        Args:
            z: Latents, ``(b, *z)``.
            grad_z: Their gradient.
            grad_log_det: The gradient of the contribution ``V``, ``(b,)``.
            context: What the map is conditioned on.

        Returns:
            ``x`` and the gradients.
        """
        return invert_and_vjp(self, z, grad_z, grad_log_det, context)

    def walk(self, x: X, context: Context | None = None) -> Generator[Entry, None, Z]:
        """Run forward and yield one ledger entry for each named step; return ``z``.

        A container yields its parts' entries under their names; a leaf yields one.
        """
        z: Tensor
        z, log_det = self(x, context)
        yield Entry("", z, log_det)
        return z

    def forward_shape(self, shape: Size) -> Size:
        """The event shape of ``z`` for an event shape of ``x``."""
        return shape

    def inverse_shape(self, shape: Size) -> Size:
        """The event shape of ``x`` for an event shape of ``z``."""
        return shape

    @property
    def inv(self) -> Transform:
        """The same map read backwards: shared parameters, swapped flags."""
        return Inverse(self)

    @property
    def bijective(self) -> bool:
        """Whether each direction is a function that undoes the other."""
        return self.onto and not (self.stochastic_forward or self.stochastic_inverse)

    @property
    def likelihood(self) -> Likelihood:
        """What kind of log-likelihood a flow with this transform has."""
        return "bound" if self.stochastic_forward else "exact"


class Inverse(Transform):
    """A transform read backwards; made by :attr:`Transform.inv`.

    Args:
        transform: The transform whose ``inverse`` becomes ``forward``.
    """

    def __init__(self, transform: Transform) -> None:
        super().__init__()
        self.transform = transform
        self.stochastic_forward = transform.stochastic_inverse
        self.stochastic_inverse = transform.stochastic_forward or not transform.onto
        self.discrete = transform.discrete
        self.cheap_inverse = transform.cheap_inverse
        self.compiles = transform.compiles

    def forward(self, x: X, context: Context | None = None) -> tuple[Z, PerSample]:
        """Run the transform's inverse."""
        return self.transform.inverse(x, context)

    def inverse(self, z: Z, context: Context | None = None) -> tuple[X, PerSample]:
        """Run the transform's forward."""
        return self.transform(z, context)  # type: ignore[no-any-return]

    def encode(self, x: X, context: Context | None = None) -> Z:
        """Run the transform's decode."""
        return self.transform.decode(x, context)

    def decode(self, z: Z, context: Context | None = None) -> X:
        """Run the transform's encode."""
        return self.transform.encode(z, context)

    def forward_shape(self, shape: Size) -> Size:
        """The transform's ``inverse_shape``."""
        return self.transform.inverse_shape(shape)

    def inverse_shape(self, shape: Size) -> Size:
        """The transform's ``forward_shape``."""
        return self.transform.forward_shape(shape)

    @property
    def inv(self) -> Transform:
        """The transform itself."""
        return self.transform

    @property
    def likelihood(self) -> Likelihood:
        """The transform's own kind if it is a bijection or approximate; else the swapped flags'."""
        own = self.transform.likelihood
        return own if self.bijective or own == "approximate" else super().likelihood


def zero_log_det(x: Tensor) -> Tensor:
    """A contribution of nothing, ``(b,)``: float64 for float64 events, float32 for all others."""
    dtype = torch.float64 if x.dtype == torch.float64 else torch.float32
    return torch.zeros(x.shape[0], dtype=dtype, device=x.device)


def full_precision(x: Tensor) -> AbstractContextManager[None]:
    """Switch autocast off around the trunk's own products; networks may keep it."""
    kind = x.device.type
    if torch.amp.is_autocast_available(kind) and torch.is_autocast_enabled(kind):
        return torch.autocast(kind, enabled=False)
    return nullcontext()


def widened(values: Tensor) -> Tensor:
    """In float32 or wider."""
    return values if values.dtype == torch.float64 else values.float()


def sum_event(values: Tensor) -> Tensor:
    """Sum over everything but the batch, in float32 or wider: ``(b, *x)`` to ``(b,)``."""
    return widened(values).reshape(values.shape[0], -1).sum(1)


def check_context(x: Tensor, context: Context | None) -> None:
    """Raise unless every context has one row for each event.

    Args:
        x: Events, ``(b, *x)``.
        context: A tensor or tuple of tensors, each ``(b, *c)``, or nothing.

    Raises:
        ValueError: If a context has another batch size.
    """
    parts = () if context is None else context if isinstance(context, tuple) else (context,)
    for part in parts:
        if part.shape[0] != x.shape[0]:
            raise ValueError(
                f"context: expected one row for each of the {x.shape[0]} events, "
                f"got a batch of {part.shape[0]}"
            )
