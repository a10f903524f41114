"""Whole multiples of a step, and the noise that takes them to real numbers."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from lambent.core.distribution import Distribution, check_exact
from lambent.core.transform import Transform, zero_log_det
from lambent.errors import check_domain
from lambent.types import Context, PerSample, X, Z


class Multiples(Transform):
    r"""From ``x = low + k step`` with whole ``k`` to ``z = k + u``, ``u ~ q(u | x)``.

    ``V = -ln q(u | x)``, 0 of uniform noise: the likelihood is a bound on that of ``k``. Back,
    ``k = floor(z)``, kept from 0 to ``(high - low) / step``. ``encode`` takes the middle,
    ``u = 1/2``.

    Args:
        low: The least value of each number of an event, ``d`` of them.
        high: The greatest that is drawn.
        step: From one value to the next.
        noise: ``q``, over ``(d,)`` numbers from 0 to 1; uniform if not given. Its context is
            ``(x - low) / (high - low) - 1/2``.

    Shape:
        ``(b, d)`` to float64; back to float64.

    Raises:
        ValueError: If the three differ in length, or the noise has no exact density.
        DomainError: If ``x`` is not such a multiple, or ``z`` to be undone is NaN.

    References:
        L. Theis et al., "A note on the evaluation of generative models", 2016, arXiv:1511.01844;
        J. Ho et al., "Flow++", 2019, arXiv:1902.00275, section 3.1.

    Example:
        >>> Multiples([0.5], [2.5], [0.5]).encode(torch.tensor([[1.5]]))
        tensor([[2.5000]], dtype=torch.float64)
    """

    stochastic_forward = True
    low: Tensor
    high: Tensor
    step: Tensor

    def __init__(
        self,
        low: Sequence[float],
        high: Sequence[float],
        step: Sequence[float],
        noise: Distribution | None = None,
    ) -> None:
        super().__init__()
        if not len(low) == len(high) == len(step):
            raise ValueError(
                f"low, high, step: expected as many of each, got {len(low)}, {len(high)}, "
                f"{len(step)}"
            )
        if noise is not None:
            check_exact(noise)
        self.noise = noise
        self.ends = list(low), list(high), list(step)

    def _number(self, x: Tensor) -> Tensor:
        """``k``, float64."""
        low, _, step = self._ends(x)
        exact = (x.double() - low) / step
        k = exact.round()
        check_domain(
            (exact - k).abs() <= 1e-3, "x: expected whole multiples of the step, got others, or NaN"
        )
        return k

    def _ends(self, x: Tensor) -> list[Tensor]:
        return [torch.tensor(end, dtype=torch.float64, device=x.device) for end in self.ends]

    def _given(self, k: Tensor) -> Tensor:
        assert self.noise is not None
        low, high, step = self._ends(k)
        part = k / ((high - low) / step).clamp(min=1)
        like = next(iter(self.noise.parameters()), part)
        return (part - 0.5).to(like.dtype)

    def forward(self, x: X, context: Context | None = None) -> tuple[Z, PerSample]:
        """Add noise."""
        k = self._number(x)
        if self.noise is None:
            return k + torch.rand_like(k), zero_log_det(x)
        u, log_density = self.noise.rsample_and_log_prob(None, self._given(k))
        return k + u.double().clamp(0, 1 - 2.0**-24), -log_density

    def encode(self, x: X, context: Context | None = None) -> Z:
        """Move to the middle."""
        return self._number(x) + 0.5

    def inverse(self, z: Z, context: Context | None = None) -> tuple[X, PerSample]:
        """Round down, and into the range."""
        x = self.decode(z)
        if self.noise is None:
            return x, zero_log_det(z)
        k = self._number(x)
        given = self._given(k)
        u = (z.double() - k).to(given.dtype)
        eps = torch.finfo(u.dtype).eps
        return x, self.noise(u.clamp(eps, 1 - eps), given)

    def decode(self, z: Z, context: Context | None = None) -> X:
        """Round down, and into the range; the density is not asked."""
        low, high, step = self._ends(z)
        check_domain(~z.isnan(), "z: expected numbers, got NaN")
        most = ((high - low) / step).round()
        return low + step * z.double().floor().clamp(min=0).minimum(most)

    def extra_repr(self) -> str:
        """What ``repr`` shows."""
        return f"{len(self.ends[0])}, noise={'uniform' if self.noise is None else 'learned'}"
