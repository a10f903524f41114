"""The largest of each 2x2 cell of pixels."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from lambent.core.compose import worst
from lambent.core.distribution import Distribution
from lambent.core.kept import check_events, with_context
from lambent.core.transform import Transform, zero_log_det
from lambent.types import Context, Likelihood, PerSample, Size, X, Z


class MaxPool(Transform):
    r"""``z = max`` of each 2x2 cell of each channel; back, the place and the others are drawn.

    ``V = -m ln 4 + log p(d | z)`` with ``m`` cells, each place of the largest as probable as the
    others, and the differences ``d = z - x >= 0`` of the three others. Exact where ``p`` is. Of
    equal pixels the first counts as the largest: dequantise first. ``decode`` puts it first
    and takes the differences at temperature 0.

    Args:
        differences: ``p``, over numbers of at least 0, ``(3 c, h/2, w/2)``: for each channel those
            of the three others in reading order. Its context is ``z``, or ``(z, *context)`` where
            the caller gives one.

    Shape:
        ``(b, c, h, w)`` to ``(b, c, h/2, w/2)``; back.

    Raises:
        ValueError: If height or width is odd, or the differences are for other events.

    References:
        D. Nielsen et al., "SurVAE Flows", 2020, arXiv:2007.02731, and the authors' code.

    Example:
        >>> from lambent.distributions import HalfNormal
        >>> pool = MaxPool(HalfNormal((3, 1, 1)))
        >>> pool.encode(torch.tensor([[[[1.0, 0.0], [0.5, 0.0]]]]))
        tensor([[[[1.]]]])
    """

    stochastic_inverse = True

    def __init__(self, differences: Distribution) -> None:
        super().__init__()
        self.differences = differences

    def forward(self, x: X, context: Context | None = None) -> tuple[Z, PerSample]:
        """Take the largest."""
        cells = self._cells(x)
        z, place = cells.max(2)
        rest = cells.gather(2, self._others(place))
        differences = (z.unsqueeze(2) - rest).flatten(1, 2)
        return z, self.differences(differences, with_context(z, context)) - self._places(z)

    def encode(self, x: X, context: Context | None = None) -> Z:
        """Take the largest; the density is not asked."""
        return self._cells(x).amax(2)

    def inverse(self, z: Z, context: Context | None = None) -> tuple[X, PerSample]:
        """Draw place and differences."""
        differences, log_prob = self.differences.rsample_and_log_prob(
            None, with_context(z, context)
        )
        place = torch.randint(4, z.shape, device=z.device)
        return self._filled(z, place, differences), self._places(z) - log_prob

    def decode(self, z: Z, context: Context | None = None) -> X:
        """Put the largest first, and the others at the centre of their density."""
        differences = self.differences.rsample(None, with_context(z, context), temperature=0.0)
        return self._filled(z, torch.zeros_like(z, dtype=torch.long), differences)

    def _cells(self, x: Tensor) -> Tensor:
        """The four pixels of each cell, ``(b, c, 4, h/2, w/2)``."""
        shape = self.forward_shape(tuple(x.shape[1:]))
        cells = x.reshape(len(x), shape[0], shape[1], 2, shape[2], 2)
        return cells.permute(0, 1, 3, 5, 2, 4).flatten(2, 3)

    def _filled(self, z: Tensor, place: Tensor, differences: Tensor) -> Tensor:
        """The image with the largest of each cell at its place."""
        b, c, h, w = z.shape
        rest = z.unsqueeze(2) - differences.unflatten(1, (c, 3))
        order = torch.cat((place.unsqueeze(2), self._others(place)), 2)
        cells = torch.cat((z.unsqueeze(2), rest), 2).gather(2, order.argsort(2))
        pixels: Tensor = cells.unflatten(2, (2, 2)).permute(0, 1, 4, 2, 5, 3)
        return pixels.reshape(b, c, 2 * h, 2 * w)

    @staticmethod
    def _others(place: Tensor) -> Tensor:
        """The places of the three others, in reading order: ``(b, c, 3, h, w)``."""
        three = torch.arange(3, device=place.device).reshape(1, 1, 3, 1, 1)
        return three + (three >= place.unsqueeze(2)).long()

    @staticmethod
    def _places(z: Tensor) -> Tensor:
        """The log of the number of places, ``(b,)``."""
        return zero_log_det(z) + math.prod(z.shape[1:]) * math.log(4)

    def forward_shape(self, shape: Size) -> Size:
        """Half as high and wide."""
        c, h, w = shape
        if h % 2 or w % 2:
            raise ValueError(f"x: expected an even height and width, got {h} x {w}")
        check_events("differences", self.differences, (3 * c, h // 2, w // 2))
        return (c, h // 2, w // 2)

    def inverse_shape(self, shape: Size) -> Size:
        """Twice as high and wide."""
        c, h, w = shape
        return (c, 2 * h, 2 * w)

    @property
    def likelihood(self) -> Likelihood:
        """That of the density of the differences."""
        return worst(super().likelihood, self.differences.likelihood)
