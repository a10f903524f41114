"""Several scales as one map to a single flat latent."""

from __future__ import annotations

import math
from collections.abc import Generator

import torch
from torch import Tensor, nn

from lambent.core.compose import walk_named, worst
from lambent.core.transform import Entry, Transform, zero_log_det
from lambent.transforms.partition import Halves
from lambent.types import Context, Likelihood, PerSample, Size, X, Z


class MultiScale(Transform):
    r"""Levels one after another; after each but the last, half of the channels leave.

    The first half of a level's output goes on to the next level; the second is final. The latent
    is flat: what left level 0, then level 1, ..., then the output of the last. It has the size of
    the event. ``V`` is the sum over levels. Where the halves that leave should be standardised by
    what stays, the level does it with a last coupling, so the base is one standard normal.

    A context tuple is dealt out: item ``i`` goes to level ``i``. Any other context goes to all.

    Args:
        *levels: One transform for each scale, ``(c, h, w)`` to ``(c', h', w')``.
        shape: Shape ``(c, h, w)`` of the event.

    Shape:
        ``(b, c, h, w)`` to ``(b, c * h * w)``.

    References:
        L. Dinh et al., "Density estimation using Real NVP", 2017, arXiv:1605.08803, section 3.6.
    """

    def __init__(self, *levels: Transform, shape: Size) -> None:
        super().__init__()
        self.levels = nn.ModuleList(levels)
        self.shape = tuple(shape)
        self.latent_shapes = self._latent_shapes()
        self.cheap_inverse = all(level.cheap_inverse for level in levels)
        self.compiles = all(level.compiles for level in levels)
        for level in levels:
            if not level.bijective:
                raise ValueError(f"levels: expected bijections, got {type(level).__name__}")

    def _latent_shapes(self) -> tuple[Size, ...]:
        shapes: list[Size] = []
        shape = self.shape
        for i, level in enumerate(self.levels):
            shape = level.forward_shape(shape)  # type: ignore[operator]
            if i + 1 < len(self.levels):
                kept = shape[0] // 2
                shapes.append((shape[0] - kept, *shape[1:]))
                shape = (kept, *shape[1:])
        return (*shapes, shape)

    def _context(self, level: int, context: Context | None) -> Context | None:
        if not isinstance(context, tuple):
            return context
        if len(context) != len(self.levels):
            raise ValueError(
                f"context: expected one item for each of {len(self.levels)} levels, "
                f"got {len(context)}"
            )
        return context[level]

    def latents(self, z: Z) -> list[Tensor]:
        """The flat latent taken apart by level, each ``(b, c_i, h_i, w_i)``, finest first."""
        sizes = [math.prod(shape) for shape in self.latent_shapes]
        parts = z.split(sizes, 1)
        return [p.reshape(-1, *s) for p, s in zip(parts, self.latent_shapes, strict=True)]

    def forward(self, x: X, context: Context | None = None) -> tuple[Z, PerSample]:
        """Run the levels, halving between them."""
        total = zero_log_det(x)
        left: list[Tensor] = []
        for i, level in enumerate(self.levels):
            x, log_det = level(x, self._context(i, context))
            total = total + log_det
            if i + 1 < len(self.levels):
                x, out = Halves().split(x)
                left.append(out.flatten(1))
        return torch.cat((*left, x.flatten(1)), 1), total

    def inverse(self, z: Z, context: Context | None = None) -> tuple[X, PerSample]:
        """Run the levels backwards, joining between them."""
        total = zero_log_det(z)
        *left, x = self.latents(z)
        for i in reversed(range(len(self.levels))):
            if i + 1 < len(self.levels):
                x = Halves().merge(x, left[i])
            x, log_det = self.levels[i].inverse(x, self._context(i, context))  # type: ignore[operator]
            total = total + log_det
        return x, total

    def walk(self, x: X, context: Context | None = None) -> Generator[Entry, None, Z]:
        """The entries of every level, under ``level0``, ``level1``, ..."""
        left: list[Tensor] = []
        for i, level in enumerate(self.levels):
            x = yield from walk_named(f"level{i}", level, x, self._context(i, context))  # type: ignore[arg-type]
            if i + 1 < len(self.levels):
                x, out = Halves().split(x)
                left.append(out.flatten(1))
        return torch.cat((*left, x.flatten(1)), 1)

    def forward_shape(self, shape: Size) -> Size:
        """One flat axis of the event's size."""
        return (math.prod(shape),)

    def inverse_shape(self, shape: Size) -> Size:
        """The event shape given at construction."""
        return self.shape

    @property
    def likelihood(self) -> Likelihood:
        """The worst of the levels."""
        return worst(*(level.likelihood for level in self.levels))  # type: ignore[arg-type]
