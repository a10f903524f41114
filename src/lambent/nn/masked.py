"""Masked networks: the parameters of each number from the numbers before it."""

from __future__ import annotations

from typing import Any, Literal

import torch
from torch import Tensor, nn

from lambent.nn.context import context_vector
from lambent.nn.fast import takes_fast_path
from lambent.nn.masked_layers import (
    Block,
    Layers,
    column_blocks,
    fused_layers,
    plain_layers,
    row_blocks,
)
from lambent.nn.masked_steps import Remembered, Rows, Written, grown_step, room, write_step
from lambent.nn.mlp import ACTIVATIONS, Activation
from lambent.types import Context


class MADE(nn.Module):
    r"""A fully connected network whose output ``i`` reads the inputs ``0 ... i - 1`` alone.

    Input ``i`` has degree ``i + 1``; hidden units have degrees 1 to ``d - 1``, as many of each or
    drawn once from torch's generator and kept in the state dict; sorted, so that those of one
    degree lie together. A hidden unit reads what has at most its own degree, an output what has
    less. The context is read by the first hidden layer whole. The output starts at zero.

    Numbers in another order are a matter of a :class:`~lambent.transforms.Permute` before.

    One pass gives all parameters. ``start`` and ``step`` give those of one number after the other,
    each unit computed once: all steps together cost one pass.

    Args:
        features: Numbers of a vector, ``d``.
        params: Parameters of each number, ``k``.
        width: Units of each hidden layer.
        layers: Hidden layers.
        activation: What follows each of them.
        context_features: Size of the context vector, where there is one.
        degrees: Whether as many hidden units have each degree, or ``random`` ones are drawn.

    Shape:
        ``(b, d)`` and ``(b, context_features)`` to ``(b, k d)``; parameter ``j`` of number ``i`` is
        at ``k i + j``.

    Raises:
        ValueError: If a number is less than 1.

    References:
        M. Germain et al., "MADE: Masked Autoencoder for Distribution Estimation", 2015,
        arXiv:1502.03509, section 4.
    """

    def __init__(
        self,
        features: int,
        params: int,
        *,
        width: int = 128,
        layers: int = 2,
        activation: Activation = "relu",
        context_features: int | None = None,
        degrees: Literal["even", "random"] = "even",
    ) -> None:
        super().__init__()
        sizes = {"features": features, "params": params, "width": width, "layers": layers}
        for name, value in sizes.items():
            if value < 1:
                raise ValueError(f"{name}: expected at least 1, got {value}")
        self.features, self.params, self.context_features = features, params, context_features
        self.activation = ACTIVATIONS[activation]()
        highest, lowest = max(1, features - 1), min(1, features - 1)
        units = [lowest + k % highest for k in range(width)]
        if degrees == "random":
            units = torch.randint(lowest, lowest + highest, (width,), device="cpu").tolist()
            self.register_buffer("units", torch.tensor(sorted(units)))
        inputs = [features] + [width] * (layers - 1)
        self.hidden = nn.ModuleList(nn.Linear(size, width) for size in inputs)
        self.last = nn.Linear(width, params * features)
        nn.init.zeros_(self.last.weight)
        nn.init.zeros_(self.last.bias)
        self.condition = (
            None if context_features is None else nn.Linear(context_features, width, bias=False)
        )
        self._arrange(sorted(units))

    def _arrange(self, degrees: list[int]) -> None:
        """Set masks and ends from the hidden units' degrees."""
        self.ends = [sum(unit <= degree for unit in degrees) for degree in range(self.features)]
        """How many hidden units have a degree of at most 0, 1, ..., d - 1."""
        self.rows: tuple[tuple[Block, ...], ...] = ()
        self.columns: tuple[tuple[Block, ...], ...] = ()
        inputs, hidden = torch.arange(1, self.features + 1), torch.tensor(degrees)
        for layer in range(len(self.hidden)):
            self._mask(f"mask{layer}", hidden[:, None] >= (hidden if layer else inputs))
        self._mask("mask_last", inputs.repeat_interleave(self.params)[:, None] > hidden)

    def _load_from_state_dict(self, *given: Any) -> None:
        super()._load_from_state_dict(*given)
        if "units" in self._buffers:
            self._arrange(self.get_buffer("units").tolist())

    def check_state(self) -> None:
        """Raise unless random degrees are sorted and in range, as after they came from a file."""
        units = self.get_buffer("units").tolist() if "units" in self._buffers else []
        lowest, highest = min(1, self.features - 1), max(1, self.features - 1)
        if sorted(units) != units or (units and not lowest <= units[0] <= units[-1] <= highest):
            raise ValueError(f"units: expected sorted degrees of {lowest} to {highest}")

    def _mask(self, name: str, allowed: Tensor) -> None:
        self.register_buffer(name, allowed.to(self.last.weight), persistent=False)
        self.rows = (*self.rows, row_blocks(allowed))
        self.columns = (*self.columns, column_blocks(allowed))

    def _linear(self, layer: int) -> nn.Linear:
        linear = self.hidden[layer]
        assert isinstance(linear, nn.Linear)
        return linear

    def _linears(self) -> list[nn.Linear]:
        return [*map(self._linear, range(len(self.hidden))), self.last]

    def _from_context(self, context: Context | None) -> Tensor | None:
        if self.condition is None or self.context_features is None:
            return None
        added: Tensor = self.condition(context_vector(context, self.context_features))
        return added

    def forward(self, x: Tensor, context: Context | None = None) -> Tensor:
        """The parameters of all numbers."""
        weights = [t for linear in self._linears() for t in (linear.weight, linear.bias)]
        names = [*(f"mask{i}" for i in range(len(self.hidden))), "mask_last"]
        masks = tuple(map(self.get_buffer, names))
        layers = Layers(masks, self.rows, self.columns, self.activation)
        run = fused_layers if takes_fast_path(x) else plain_layers
        return run(x, self._from_context(context), layers, weights)

    def start(self, context: Context | None, like: Tensor) -> Remembered | Written:
        """What is known before the first number.

        Args:
            context: What the vectors are conditioned on.
            like: Vectors ``(b, d)``, for their number and type.

        Returns:
            Nothing yet, but for what the context adds.
        """
        added = self._from_context(context)
        if takes_fast_path(like) and not torch.is_grad_enabled():
            return room(self._linears(), self.ends, like, added)
        nothing = like[:, :0]
        return Remembered((), tuple((nothing,) for _ in self.hidden), added)

    def step(
        self, i: int, previous: Tensor | None, so_far: Remembered | Written
    ) -> tuple[Tensor, Remembered | Written]:
        """The parameters of number ``i``, once number ``i - 1`` is known.

        Args:
            i: From 0.
            previous: Number ``i - 1``, ``(b,)``; nothing for the first.
            so_far: What the step before returned.

        Returns:
            The parameters, ``(b, k)``, and what the next step needs.
        """
        rows = Rows(i, self.ends[i - 1] if i else 0, self.ends[i], self.params)
        if isinstance(so_far, Written):
            return write_step(rows, self.activation, previous, so_far), so_far
        return grown_step(self._linears(), self.activation, rows, previous, so_far)
