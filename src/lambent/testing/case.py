"""A case: how to build a transform or flow, and the events to judge it on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from lambent.core.flow import Flow
from lambent.core.seed import seeded
from lambent.core.transform import Transform
from lambent.testing.subject import Subject, prepare
from lambent.types import Context, Size

Draw = Callable[[Size], Tensor]


def normal(shape: Size) -> Tensor:
    """Standard normal numbers."""
    return torch.randn(shape)


def uniform(shape: Size) -> Tensor:
    """Numbers in (0, 1)."""
    return torch.rand(shape).clamp(1e-3, 1 - 1e-3)


def pixels(levels: int = 256) -> Draw:
    """A draw of integers ``0 ... levels - 1`` as uint8."""

    def draw(shape: Size) -> Tensor:
        return torch.randint(0, levels, shape, dtype=torch.uint8)

    return draw


def labels(classes: int) -> Draw:
    """A draw of labels for a context of shape ``()``: each class in turn."""

    def draw(shape: Size) -> Tensor:
        return torch.arange(shape[0]) % classes

    return draw


@dataclass(frozen=True, kw_only=True)
class Case:
    """One line of a law suite.

    Example:
        >>> from lambent.transforms import ActNorm
        >>> case = Case(build=lambda: ActNorm(4), event_shape=(4, 2, 2))
        >>> case.subject().x.shape
        torch.Size([3, 4, 2, 2])
    """

    build: Callable[[], Transform | Flow]
    """Builds the transform or flow, in float32."""
    event_shape: Size
    """Shape of one event in data space."""
    context_shape: Size | tuple[Size, ...] | None = None
    """Shape of one row of context, or of each part of it, where it is conditional."""
    domain: Draw = normal
    """Draws events of a shape, batch included."""
    codomain: Draw | None = None
    """Draws latents of a shape; the default is that of :func:`prepare`."""
    context_domain: Draw = normal
    """Draws contexts of a shape, batch included."""
    no_gradient: tuple[str, ...] = ()
    """Shell patterns of the names of parameters that rightly get no gradient."""
    tolerance: float = 1e-9
    """Largest absolute and relative error in float64."""
    float32_tolerance: float = 1e-4
    """Largest absolute and relative error of float32 against float64."""
    spread: float = 0.1
    """Standard deviation of the noise that moves the parameters."""
    batch: int = 3
    """How many events."""

    def context(self) -> Context | None:
        """Draw a context."""
        if self.context_shape is None:
            return None
        sizes = [part for part in self.context_shape if isinstance(part, tuple)]
        if sizes:
            return tuple(self.context_domain((self.batch, *size)) for size in sizes)
        flat = [part for part in self.context_shape if isinstance(part, int)]
        return self.context_domain((self.batch, *flat))

    def subject(self, seed: int = 0) -> Subject:
        """Build the module and draw its events.

        Args:
            seed: Seed of the parameters, the events and every draw of a law.

        Returns:
            What a law is called with.
        """
        with seeded(seed):
            module = self.build()
            x = self.domain((self.batch, *self.event_shape))
            context = self.context()
            z = None
            if self.codomain is not None and isinstance(module, Transform):
                z = self.codomain((self.batch, *module.forward_shape(self.event_shape)))
        return prepare(
            module,
            x,
            context,
            z=z,
            no_gradient=self.no_gradient,
            tolerance=self.tolerance,
            float32_tolerance=self.float32_tolerance,
            spread=self.spread,
            rebuild=self.build,
            seed=seed,
        )
