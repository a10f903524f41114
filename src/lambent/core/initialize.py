"""Data-dependent initialisation: one pass, outside forward, recorded in the state dict."""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable

import torch
from torch import Tensor, nn

from lambent.core.flow import Flow
from lambent.nn.fast import plain
from lambent.types import Context, X


@runtime_checkable
class DataInitialised(Protocol):
    """A module whose first parameters come from the first batch it sees."""

    initialized: Tensor
    """A boolean buffer; true once the parameters are set or loaded."""

    def initialize_from(self, x: Tensor, *inputs: Any) -> None:
        """Set the parameters from the module's inputs, and ``initialized`` to true."""


@torch.no_grad()
def initialize(flow: Flow, x: X, context: Context | None = None) -> None:
    """Set every data-initialised layer from one batch, in the order in which data reaches them.

    Each layer sees the batch as the layers before it, already set, pass it on; layers inside
    networks too. A layer that is set already, or was loaded, keeps its parameters. Run it before a
    data-parallel wrapper is put around the flow. A layer that stands in the flow as its own
    inverse (``layer.inv``) is not reached and keeps its plain initial values.

    Args:
        flow: The flow.
        x: A batch of events, ``(b, *event_shape)``.
        context: One row for each event.
    """

    def before(module: nn.Module, inputs: tuple[Any, ...]) -> None:
        if isinstance(module, DataInitialised) and not bool(module.initialized):
            module.initialize_from(*inputs)

    waiting = [m for m in flow.modules() if isinstance(m, DataInitialised)]
    training = flow.training
    hooks = [m.register_forward_pre_hook(before) for m in waiting if isinstance(m, nn.Module)]
    try:
        with plain():  # the fast path passes the layers by
            flow.eval().log_prob(x, context)
    finally:
        flow.train(training)
        for hook in hooks:
            hook.remove()
