"""From the numbers above an end to the whole line."""

from __future__ import annotations

from lambent.core.transform import Transform, sum_event
from lambent.errors import check_domain
from lambent.types import Context, PerSample, X, Z


class Log(Transform):
    r"""``z = ln(a + x)``, ``V = -sum_i z_i``: from the numbers above ``-a`` to the line.

    Args:
        offset: ``a``.

    Shape:
        ``(b, *)`` both ways.

    Raises:
        DomainError: If a number is not above ``-a``.

    Example:
        >>> import torch
        >>> Log()(torch.tensor([[1.0, 2.0]]))
        (tensor([[0.0000, 0.6931]]), tensor([-0.6931]))
    """

    cheap_inverse = True

    def __init__(self, offset: float = 0.0) -> None:
        super().__init__()
        self.offset = offset

    def forward(self, x: X, context: Context | None = None) -> tuple[Z, PerSample]:
        """The logarithm."""
        check_domain(
            x > -self.offset, f"x: expected numbers above {-self.offset:g}, got others, or NaN"
        )
        z = (self.offset + x).log()
        return z, -sum_event(z)

    def inverse(self, z: Z, context: Context | None = None) -> tuple[X, PerSample]:
        """The exponential."""
        return z.exp() - self.offset, sum_event(z)

    def extra_repr(self) -> str:
        """What ``repr`` shows."""
        return f"{self.offset:g}"
