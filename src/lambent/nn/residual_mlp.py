"""A residual network of vectors, as a conditioner."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lambent.nn.context import context_vector
from lambent.types import Context


class _Block(nn.Module):
    """``h + W' drop(relu(W relu(h)))``; the context gates what is added."""

    def __init__(self, width: int, dropout: float, context_features: int | None) -> None:
        super().__init__()
        self.first = nn.Linear(width, width)
        self.second = nn.Linear(width, width)
        self.dropout = nn.Dropout(dropout)
        self.gate = None if context_features is None else nn.Linear(context_features, width)
        nn.init.uniform_(self.second.weight, -1e-3, 1e-3)
        nn.init.uniform_(self.second.bias, -1e-3, 1e-3)

    def forward(self, h: Tensor, context: Tensor | None) -> Tensor:
        added: Tensor = self.second(self.dropout(F.relu(self.first(F.relu(h)))))
        if self.gate is not None:
            added = added * torch.sigmoid(self.gate(context))
        return h + added


class ResidualMLP(nn.Module):
    r"""Residual blocks of one width between two linear maps, of which the last starts at zero.

    ``h_0 = W_0 (a, context) + b_0``, ``h_i = h_{i-1} + block_i(h_{i-1})`` and ``y = W h_n + b``.
    A block is a linear map after a rectifier, twice, with dropout before the second; times the
    logistic function of a linear map of the context, where there is one.

    Args:
        in_features: Features it reads.
        out_features: Features it puts out.
        width: Units of each hidden layer.
        blocks: Residual blocks.
        dropout: Part of the units left out of a block while training.
        context_features: Size of the context vector, where there is one.

    Shape:
        ``(b, in_features)`` and ``(b, context_features)`` to ``(b, out_features)``.

    Raises:
        ValueError: If ``blocks`` is less than 1, or ``dropout`` not from 0 to 1.

    References:
        C. Durkan et al., "Neural Spline Flows", 2019, arXiv:1906.04032, appendix B.1.
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        *,
        width: int = 128,
        blocks: int = 2,
        dropout: float = 0.0,
        context_features: int | None = None,
    ) -> None:
        super().__init__()
        if blocks < 1:
            raise ValueError(f"blocks: expected at least 1, got {blocks}")
        if not 0 <= dropout < 1:
            raise ValueError(f"dropout: expected 0 to 1, and less than 1, got {dropout}")
        self.context_features = context_features
        self.first = nn.Linear(in_features + (context_features or 0), width)
        self.blocks = nn.ModuleList(_Block(width, dropout, context_features) for _ in range(blocks))
        self.last = nn.Linear(width, out_features)
        nn.init.zeros_(self.last.weight)
        nn.init.zeros_(self.last.bias)

    def forward(self, a: Tensor, context: Context | None = None) -> Tensor:
        """The parameters of the coupling."""
        vector = None
        if self.context_features is not None:
            vector = context_vector(context, self.context_features)
            a = torch.cat((a, vector), 1)
        h: Tensor = self.first(a)
        for block in self.blocks:
            h = block(h, vector)
        y: Tensor = self.last(h)
        return y
