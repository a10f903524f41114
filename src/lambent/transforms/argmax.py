"""From categories to real numbers of which each category owns a region."""

from __future__ import annotations

import math
from abc import abstractmethod

import torch
import torch.nn.functional as F
from torch import Tensor

from lambent.core.distribution import Distribution, check_exact
from lambent.core.kept import check_events, with_context
from lambent.core.transform import Transform, sum_event
from lambent.errors import check_domain
from lambent.transforms.pixel import check_integers
from lambent.transforms.positive import inverse_softplus
from lambent.types import Context, PerSample, Size, X, Z


class CategoricalLift(Transform):
    r"""Categories to ``n`` real numbers each: noise is drawn and bent into the category's region.

    ``z = t_x(u)`` with ``u ~ q(u | x)``, ``V = ln |det dz/du| - ln q(u | x)``, where ``t_x`` takes
    all real numbers to those that decode to ``x``. The likelihood is a bound. ``encode`` bends
    ``u = 0``.

    Args:
        classes: The categories are ``0 ... classes - 1``; 2 to 256.
        noise: ``q``, over ``(n c, *)`` real numbers. Its context is the code of the category, 1 and
            -1, of the same shape, and that of the caller behind it, if there is one.
        numbers: ``n``.

    Shape:
        ``(b, c, *)`` integers to ``(b, n c, *)``; back to uint8.

    Raises:
        ValueError: If ``classes`` is out of range, or the noise has no exact density.
    """

    stochastic_forward = True
    codes: Tensor

    def __init__(self, classes: int, noise: Distribution, numbers: int) -> None:
        super().__init__()
        if not 2 <= classes <= 256:
            raise ValueError(f"classes: expected 2 to 256, got {classes}")
        check_exact(noise)
        self.classes = classes
        self.noise = noise
        self.numbers = numbers
        self.register_buffer("codes", self._codes(), persistent=False)

    @abstractmethod
    def _codes(self) -> Tensor:
        """The code of each category, ``(classes, n)``."""

    @abstractmethod
    def _bend(self, u: Tensor, code: Tensor) -> tuple[Tensor, Tensor]:
        """Noise and code ``(b, c, n, *)`` to the category's region, with ``ln |det dz/du|``."""

    @abstractmethod
    def _unbend(self, z: Tensor, code: Tensor) -> Tensor:
        """The noise that was bent to ``z``."""

    @abstractmethod
    def _category(self, z: Tensor) -> Tensor:
        """The category of numbers ``(b, c, n, *)``."""

    def _code(self, x: Tensor) -> Tensor:
        """The codes of the categories, ``(b, c, n, *)``."""
        check_integers(x, self.classes)
        return self.codes[x.long()].movedim(-1, 2)

    def forward(self, x: X, context: Context | None = None) -> tuple[Z, PerSample]:
        """Draw numbers that decode to the categories."""
        code = self._code(x)
        flat = code.flatten(1, 2)
        check_events("noise", self.noise, tuple(flat.shape[1:]))
        u, log_prob = self.noise.rsample_and_log_prob(None, with_context(flat, context))
        z, log_det = self._bend(u.reshape(code.shape), code)
        return z.flatten(1, 2), log_det - log_prob

    def encode(self, x: X, context: Context | None = None) -> Z:
        """Bend noise of 0."""
        code = self._code(x)
        return self._bend(torch.zeros_like(code), code)[0].flatten(1, 2)

    def inverse(self, z: Z, context: Context | None = None) -> tuple[X, PerSample]:
        """Find the categories, and the noise they were drawn with."""
        x = self.decode(z)
        code = self._code(x)
        u = self._unbend(z.unflatten(1, (-1, self.numbers)), code)
        _, log_det = self._bend(u, code)
        given = with_context(code.flatten(1, 2), context)
        return x, self.noise(u.flatten(1, 2), given) - log_det

    def decode(self, z: Z, context: Context | None = None) -> X:
        """Find the categories; the density is not asked."""
        check_domain(z.isfinite(), "z: expected finite numbers, got NaN or infinity")
        return self._category(z.unflatten(1, (-1, self.numbers))).to(torch.uint8)

    def forward_shape(self, shape: Size) -> Size:
        """``n`` numbers for each category."""
        return (shape[0] * self.numbers, *shape[1:])

    def inverse_shape(self, shape: Size) -> Size:
        """One category for ``n`` numbers."""
        return (shape[0] // self.numbers, *shape[1:])

    def extra_repr(self) -> str:
        """What ``repr`` shows."""
        return f"{self.classes}"


class Argmax(CategoricalLift):
    r"""One number for each class, the largest that of the category; back, ``x = argmax z``.

    With noise ``u ~ q(u | x)`` and ``t = u_x``: ``z_x = t``, ``z_i = t - softplus(t - u_i)``, so
    ``V = sum_(i != x) ln sigmoid(t - u_i) - ln q(u | x)``, a bound.

    Args:
        classes: ``K``; the categories are ``0 ... K - 1``, 2 to 256 of them.
        noise: ``q``, over ``(K c, *)`` real numbers. Its context is the one-hot form of ``x``, 1
            and -1, of the same shape.

    Shape:
        ``(b, c, *)`` integers to ``(b, K c, *)``, the classes of a channel together; back to uint8.

    Raises:
        ValueError: If ``classes`` is out of range.
        DomainError: If ``x`` is not integers in range, or ``z`` to be undone is not finite.

    References:
        E. Hoogeboom et al., "Argmax Flows and Multinomial Diffusion", 2021, arXiv:2102.05379
        (thresholding).

    Example:
        >>> from lambent.distributions import StandardNormal
        >>> layer = Argmax(3, StandardNormal((6,)))
        >>> layer.decode(layer(torch.tensor([[2, 0]]))[0])
        tensor([[2, 0]], dtype=torch.uint8)
    """

    def __init__(self, classes: int, noise: Distribution) -> None:
        super().__init__(classes, noise, classes)

    def _codes(self) -> Tensor:
        return 2 * torch.eye(self.classes) - 1

    def _category(self, z: Tensor) -> Tensor:
        return z.argmax(2)

    def _bend(self, u: Tensor, code: Tensor) -> tuple[Tensor, Tensor]:
        top = (u * (code > 0)).sum(2, keepdim=True)
        below = top - u
        z = torch.where(code > 0, u, top - F.softplus(below))
        return z, sum_event(F.logsigmoid(below).masked_fill(code > 0, 0.0))

    def _unbend(self, z: Tensor, code: Tensor) -> Tensor:
        top = z.amax(2, keepdim=True)
        least = torch.finfo(z.dtype).tiny  # of equal numbers the first is the largest
        gap = torch.where(code > 0, 1.0, (top - z).clamp(min=least))
        return torch.where(code > 0, z, top - inverse_softplus(gap))


class BinaryArgmax(CategoricalLift):
    r"""One number for each bit of the category, above 0 where the bit is 1; back, read the bits.

    ``z_i = s_i softplus(u_i)`` with the bit's sign ``s_i``, ``V = sum_i ln sigmoid(u_i) -
    ln q(u | x)``, a bound: ``ceil(log2 K)`` numbers where :class:`Argmax` needs ``K``. Bits of no
    category count as the last.

    Args:
        classes: ``K``; the categories are ``0 ... K - 1``, 2 to 256 of them.
        noise: ``q``, over ``(ceil(log2 K) c, *)`` real numbers. Its context is the bits of ``x``,
            1 and -1, least first, of the same shape.

    Shape:
        ``(b, c, *)`` integers to ``(b, ceil(log2 K) c, *)``; back to uint8.

    Raises:
        ValueError: If ``classes`` is out of range.
        DomainError: If ``x`` is not integers in range, or ``z`` to be undone is not finite.

    References:
        E. Hoogeboom et al., "Argmax Flows and Multinomial Diffusion", 2021, arXiv:2102.05379
        (binary argmax flows).

    Example:
        >>> from lambent.distributions import StandardNormal
        >>> layer = BinaryArgmax(5, StandardNormal((3,)))
        >>> layer.decode(layer(torch.tensor([[4]]))[0])
        tensor([[4]], dtype=torch.uint8)
    """

    def __init__(self, classes: int, noise: Distribution) -> None:
        super().__init__(classes, noise, max(1, math.ceil(math.log2(max(classes, 1)))))

    def _codes(self) -> Tensor:
        bits = torch.arange(self.classes)[:, None] >> torch.arange(self.numbers) & 1
        return 2.0 * bits - 1

    def _category(self, z: Tensor) -> Tensor:
        places = 2 ** torch.arange(self.numbers, device=z.device)
        number = ((z > 0).movedim(2, -1) * places).sum(-1)
        return number.clamp(max=self.classes - 1)

    def _bend(self, u: Tensor, code: Tensor) -> tuple[Tensor, Tensor]:
        return code * F.softplus(u), sum_event(F.logsigmoid(u))

    def _unbend(self, z: Tensor, code: Tensor) -> Tensor:
        return inverse_softplus(z.abs().clamp(min=torch.finfo(z.dtype).tiny))
