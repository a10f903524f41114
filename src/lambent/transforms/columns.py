"""Columns of a table, each group through a transform of its own."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from lambent.core.compose import worst
from lambent.core.transform import Transform, zero_log_det
from lambent.errors import check_domain
from lambent.types import Context, Likelihood, PerSample, Size, X, Z


class Columns(Transform):
    r"""Groups of columns side by side: ``z = (f_1(x_{i_1}), f_2(x_{i_2}), ...)``, ``V = sum V_j``.

    Rows are float64 on the side of the data, whose numbers keep their own units there, and of the
    parts' precision on the side of the latent.

    Args:
        *parts: The places of the columns of each group, and its transform, of ``(b, columns)``.

    Shape:
        ``(b, c)`` to ``(b, d)``, the groups one after another; back to float64.

    Raises:
        ValueError: If the places are not each of ``0 ... c - 1`` once.

    Example:
        >>> from lambent.transforms import Log
        >>> layer = Columns(([0, 2], Log()), ([1], Log()))
        >>> layer(torch.tensor([[1.0, 2.0, 4.0]]))[0]
        tensor([[0.0000, 1.3863, 0.6931]], dtype=torch.float64)
    """

    def __init__(self, *parts: tuple[Sequence[int], Transform]) -> None:
        super().__init__()
        self.places = [list(places) for places, _ in parts]
        order = [place for places in self.places for place in places]
        if sorted(order) != list(range(len(order))):
            raise ValueError(f"parts: expected every place once, got {sorted(order)}")
        self.back = sorted(range(len(order)), key=order.__getitem__)
        self.parts = torch.nn.ModuleList(part for _, part in parts)
        self.sizes = [part.forward_shape((len(places),))[0] for places, part in self._pairs()]
        self.stochastic_forward = any(part.stochastic_forward for _, part in self._pairs())
        self.stochastic_inverse = any(part.stochastic_inverse for _, part in self._pairs())
        self.onto = all(part.onto for _, part in self._pairs())
        self.cheap_inverse = all(part.cheap_inverse for _, part in self._pairs())

    def _pairs(self) -> list[tuple[list[int], Transform]]:
        return list(zip(self.places, self.parts, strict=True))  # type: ignore[arg-type]

    def forward(self, x: X, context: Context | None = None) -> tuple[Z, PerSample]:
        """Each group by its transform."""
        wide = x.double()
        found, total = [], zero_log_det(x)
        for places, part in self._pairs():
            z, log_det = part(wide[:, places], context)
            found.append(z)
            total = total + log_det
        return torch.cat(found, 1), total

    def encode(self, x: X, context: Context | None = None) -> Z:
        """Each group by its transform."""
        wide = x.double()
        return torch.cat([p.encode(wide[:, places], context) for places, p in self._pairs()], 1)

    def inverse(self, z: Z, context: Context | None = None) -> tuple[X, PerSample]:
        """Each group by its transform's inverse."""
        found, total = [], zero_log_det(z)
        for (_, part), own in zip(self._pairs(), z.split(self.sizes, 1), strict=True):
            x, log_det = part.inverse(own, context)
            found.append(x.double())
            total = total + log_det
        return torch.cat(found, 1)[:, self.back], total

    def decode(self, z: Z, context: Context | None = None) -> X:
        """Each group by its transform's decode."""
        pairs = zip(self._pairs(), z.split(self.sizes, 1), strict=True)
        found = [part.decode(own, context).double() for (_, part), own in pairs]
        return torch.cat(found, 1)[:, self.back]

    def forward_shape(self, shape: Size) -> Size:
        """As many as the groups put out."""
        return (sum(self.sizes),)

    def inverse_shape(self, shape: Size) -> Size:
        """As many as there are columns."""
        return (len(self.back),)

    @property
    def likelihood(self) -> Likelihood:
        """The worst of the parts."""
        return worst(*(part.likelihood for _, part in self._pairs()))


class Codes(Transform):
    """Categories by number, as they are: the identity, into the module's precision or into uint8.

    Args:
        whole: Whether to uint8, for a layer that lifts categories to numbers.

    Shape:
        ``(b, c)`` both ways.
    """

    cheap_inverse = True
    unit: Tensor

    def __init__(self, *, whole: bool = False) -> None:
        super().__init__()
        self.whole = whole
        self.register_buffer("unit", torch.tensor(1.0), persistent=False)

    def forward(self, x: X, context: Context | None = None) -> tuple[Z, PerSample]:
        """The categories."""
        if self.whole:
            check_domain(
                (x == x.round()) & (x >= 0) & (x < 256),
                "x: expected categories by number, got others",
            )
        return x.to(torch.uint8 if self.whole else self.unit.dtype), zero_log_det(x)

    def inverse(self, z: Z, context: Context | None = None) -> tuple[X, PerSample]:
        """The categories."""
        return z, zero_log_det(z)
