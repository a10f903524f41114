"""Whitening around a mean that is linear in the context."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from lambent.core.transform import check_context
from lambent.transforms.whiten import Whiten
from lambent.types import Context


class WhitenGiven(Whiten):
    r"""``z = W (x - m - B c)``, ``W`` lower triangular with diagonal ``exp(l)``; ``V = sum_i l_i``.

    :func:`lambent.initialize` sets ``m`` and ``B`` by least squares and ``W`` from the covariance
    of what they leave. Before a flow that starts as the identity, training starts at the linear
    regression with normal errors of full covariance; with classes as one-hot vectors, at the normal
    laws of linear discriminant analysis. Both directions cost ``d (d + k)``.

    Args:
        features: Numbers of a vector, ``d``.
        context_features: Numbers of a context vector, ``k``.

    Shape:
        ``(b, d)`` both ways, contexts ``(b, k)``.

    Raises:
        ValueError: If a context is missing or of another size.

    References:
        C. Bishop, "Pattern Recognition and Machine Learning", 2006, section 3.1.5.

    Example:
        >>> WhitenGiven(3, 2).forward_shape((3,))
        (3,)
    """

    def __init__(self, features: int, context_features: int) -> None:
        super().__init__(features)
        if context_features < 1:
            raise ValueError(f"context_features: expected at least 1, got {context_features}")
        self.slope = nn.Parameter(torch.zeros(features, context_features))

    def centre(self, x: Tensor, context: Context | None) -> Tensor:
        """The mean given each context, ``(b, d)``."""
        check_context(x, context)
        size = self.slope.shape[1]
        if not isinstance(context, Tensor) or context.shape[1:] != (size,):
            given = tuple(context.shape) if isinstance(context, Tensor) else context
            raise ValueError(f"context: expected shape (b, {size}), got {given}")
        return self.mean + context @ self.slope.T

    @torch.no_grad()
    def initialize_from(self, x: Tensor, context: Context | None = None) -> None:
        """Set mean, slope and factor from a batch."""
        self.centre(x, context)
        assert isinstance(context, Tensor)
        given = context.detach().cpu().double()
        rows = x.detach().cpu().double()
        centred = given - given.mean(0)
        slope = torch.linalg.lstsq(centred, rows - rows.mean(0), driver="gelsd").solution
        super().initialize_from(rows - given @ slope)
        self.slope.copy_(slope.T)
