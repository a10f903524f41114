"""Fully connected conditioners of vectors."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

from lambent.nn.context import context_vector
from lambent.types import Context

Activation = Literal["relu", "tanh", "leaky_relu"]

ACTIVATIONS: dict[Activation, type[nn.Module]] = {
    "relu": nn.ReLU,
    "tanh": nn.Tanh,
    "leaky_relu": nn.LeakyReLU,
}
"""What follows a hidden layer, by name."""


class MLP(nn.Module):
    r"""Hidden layers of one width and a linear output that starts at zero.

    ``h_0 = (a, context)``, ``h_i = act(W_i h_{i-1} + b_i)``, ``y = W h_n + b`` with W and b zero.

    Args:
        in_features: Features it reads.
        out_features: Features it puts out.
        width: Units of each hidden layer.
        layers: Hidden layers.
        activation: What follows each of them.
        context_features: Size of the context vector, where there is one.

    Shape:
        ``(b, in_features)`` and ``(b, context_features)`` to ``(b, out_features)``.

    Raises:
        ValueError: If ``layers`` is less than 1.
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        *,
        width: int = 128,
        layers: int = 2,
        activation: Activation = "relu",
        context_features: int | None = None,
    ) -> None:
        super().__init__()
        if layers < 1:
            raise ValueError(f"layers: expected at least 1, got {layers}")
        kind = ACTIVATIONS[activation]
        size = in_features + (context_features or 0)
        steps: list[nn.Module] = []
        for _ in range(layers):
            steps += [nn.Linear(size, width), kind()]
            size = width
        self.hidden = nn.Sequential(*steps)
        self.last = nn.Linear(size, out_features)
        nn.init.zeros_(self.last.weight)
        nn.init.zeros_(self.last.bias)
        self.context_features = context_features

    def forward(self, a: Tensor, context: Context | None = None) -> Tensor:
        """The parameters of the coupling."""
        if self.context_features is not None:
            a = torch.cat((a, context_vector(context, self.context_features)), 1)
        y: Tensor = self.last(self.hidden(a))
        return y


class ShiftAndScale(nn.Module):
    """Two networks as the conditioner of an affine coupling, one for each of its parameters.

    Args:
        shift: ``shift(a, context)``, the shifts, ``(b, c, *)``.
        scale: ``scale(a, context)``, the raw log-scales, ``(b, c, *)``.

    Shape:
        The networks' input to ``(b, 2 c, *)``, shift and log-scale interleaved.

    References:
        G. Papamakarios et al., "Masked Autoregressive Flow", 2017, arXiv:1705.07057, section 4.
    """

    def __init__(self, shift: nn.Module, scale: nn.Module) -> None:
        super().__init__()
        self.shift = shift
        self.scale = scale

    def forward(self, a: Tensor, context: Context | None = None) -> Tensor:
        """The parameters of the coupling."""
        return torch.stack((self.shift(a, context), self.scale(a, context)), 2).flatten(1, 2)
