"""An invertible 1x1 convolution whose weight depends on the context."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from lambent.core.transform import Transform, check_context, full_precision, widened, zero_log_det
from lambent.transforms.linear import PLUConv1x1, in_float64
from lambent.types import Context, PerSample, X, Z


class ConditionalConv1x1(Transform):
    r"""A 1x1 convolution of each event's own weight: ``z = W(h) x`` at every place.

    ``W(h) = P (L + I + l(h)) (U + u(h) + diag(sign e^{s + d(h)}))``: the factors of
    :class:`PLUConv1x1`, each moved by at most ``bound`` (``l`` and ``u`` stay triangular), so that
    ``W(h)`` can be inverted for every context; ``V = (places) sum_c (s_c + d_c(h))``. A product
    costs ``O(b c^2 places)``, an inverse ``O(b c^3)`` more, in float64.

    Args:
        mix: The factors, of ``c`` channels.
        net: A module ``net(context) -> (b, c * c)``: the moves, row by row; zero leaves a plain
            PLU convolution.
        bound: Largest move of a number.

    Shape:
        ``(b, c, *)`` both ways.

    Raises:
        ValueError: If ``bound`` is not positive.

    References:
        Y. Lu and B. Huang, "Structured Output Learning with Conditional Generative Flows", 2020,
        arXiv:1905.13288, section 3.2; the factors are those of D. Kingma and P. Dhariwal, "Glow",
        2018, arXiv:1807.03039.

    Example:
        >>> from lambent.nn import Pooled
        >>> layer = ConditionalConv1x1(PLUConv1x1(3), Pooled(5, 9))
        >>> layer(torch.rand(2, 3, 4, 4), torch.rand(2, 5, 4, 4))[0].shape
        torch.Size([2, 3, 4, 4])
    """

    cheap_inverse = True

    def __init__(self, mix: PLUConv1x1, net: nn.Module, *, bound: float = 0.5) -> None:
        super().__init__()
        if not bound > 0:
            raise ValueError(f"bound: expected more than 0, got {bound}")
        self.mix = mix
        self.net = net
        self.bound = bound

    def weights(self, x: Tensor, context: Context | None) -> tuple[Tensor, PerSample]:
        """``W(h)``, ``(b, c, c)``, and the contribution of all places of ``x``, ``(b,)``."""
        check_context(x, context)
        mix, c = self.mix, x.shape[1]
        raw = widened(self.net(context)).view(-1, c, c)
        with full_precision(x):
            moves = self.bound * torch.tanh(raw / self.bound)
            log_scale = mix.log_scale + moves.diagonal(dim1=1, dim2=2)
            unit = torch.eye(c, dtype=raw.dtype, device=raw.device)
            lower = (mix.lower + moves).tril(-1) + unit
            upper = (mix.upper + moves).triu(1) + torch.diag_embed(mix.sign * log_scale.exp())
            weight = mix.permutation @ lower @ upper
        return weight, zero_log_det(x) + math.prod(x.shape[2:]) * log_scale.sum(1)

    def forward(self, x: X, context: Context | None = None) -> tuple[Z, PerSample]:
        """Mix the channels."""
        weight, log_det = self.weights(x, context)
        with full_precision(x):
            return (weight @ x.flatten(2)).view(x.shape), log_det

    def inverse(self, z: Z, context: Context | None = None) -> tuple[X, PerSample]:
        """Unmix the channels."""
        weight, log_det = self.weights(z, context)
        with full_precision(z):
            back = torch.linalg.inv(in_float64(weight)).to(z)
            return (back @ z.flatten(2)).view(z.shape), -log_det

    def extra_repr(self) -> str:
        """What ``repr`` shows."""
        return f"bound={self.bound:g}"
