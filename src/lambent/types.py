"""The tensor types of the protocol, named once. ``b`` is the batch; shapes are checked in tests."""

from __future__ import annotations

from typing import Literal, TypeAlias

from jaxtyping import Float, Shaped
from torch import Tensor

X: TypeAlias = Shaped[Tensor, "b *x"]
"""A batch of events in data space: ``(b, d)``, ``(b, c, h, w)``, ...; float or integer."""

Z: TypeAlias = Shaped[Tensor, "b *z"]
"""A batch of events in latent space."""

Context: TypeAlias = Tensor | tuple[Tensor, ...]
"""What a conditional flow is conditioned on: each ``(b, *c)``; a tuple carries a pyramid."""

PerSample: TypeAlias = Float[Tensor, " b"]
"""One number for each event, in nats: float32, or float64 when the event is."""

Size: TypeAlias = tuple[int, ...]
"""The shape of one event, without the batch."""

Likelihood: TypeAlias = Literal["exact", "unbiased", "bound", "approximate"]
"""How far a log-likelihood can be trusted, from best to worst."""
