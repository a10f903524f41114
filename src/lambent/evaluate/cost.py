"""What a training step will take in memory and time, estimated before one is run."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from itertools import chain

import torch
from torch import Tensor, nn

from lambent.core.flow import Flow
from lambent.evaluate.cost_meter import Meter
from lambent.evaluate.cost_rates import Rates, measure_rates
from lambent.nn.fast import plain
from lambent.types import Context

WORKSPACE = 0.3
"""Memory that allocator and kernels take beside activations, as a share of these.

Measured, like ``LIBRARIES`` and ``SLOWDOWN``, by ``benchmarks/estimate.py``.
"""

LIBRARIES = 10 * 2**20
"""Bytes that kernels keep however small the model is."""

SLOWDOWN = 3.0
"""How many times as long as bandwidth and overhead alone say the ops that are no products take.

They gather, stride and wait for Python.
"""

_ADAM_PASSES = 3
"""Passes over the parameters a step of the optimiser makes, beside two over each of its states."""


@dataclass(frozen=True, kw_only=True)
class Cost:
    """An estimate of what one training step takes; see :func:`estimate_cost`."""

    batch_size: int
    """Events in the step."""
    parameters: int
    """Learned numbers."""
    parameter_bytes: int
    """Bytes of parameters and buffers."""
    gradient_bytes: int
    """Bytes of the gradients."""
    optimizer_bytes: int
    """Bytes of the optimiser's states."""
    average_bytes: int
    """Bytes of averaged weights."""
    activation_bytes: int
    """Bytes that forward and backward hold at their height, less the gradients."""
    workspace_bytes: int
    """Bytes allowed for what allocator and kernels take beside that."""
    flops: int
    """Additions and multiplications of the step's matrix products and convolutions."""
    moved_bytes: int
    """Bytes that its other ops read and write."""
    update_bytes: int
    """Bytes that the optimiser and averaging read and write."""
    operations: int
    """Ops it calls, views among them."""
    rates: Rates
    """What the machine was measured to reach."""

    @property
    def memory_bytes(self) -> int:
        """All of it, without Python and the libraries themselves."""
        return (
            self.parameter_bytes
            + self.gradient_bytes
            + self.optimizer_bytes
            + self.average_bytes
            + self.activation_bytes
            + self.workspace_bytes
        )

    @property
    def seconds(self) -> float:
        """Seconds of the step, the optimiser's among them."""
        other = self.moved_bytes / self.rates.bytes + self.operations * self.rates.overhead
        update = self.update_bytes / self.rates.bytes
        return self.flops / self.rates.flops + SLOWDOWN * other + update


def estimate_cost(
    flow: Flow,
    x: Tensor,
    context: Context | None = None,
    *,
    optimizer_states: int = 2,
    averages: int = 0,
    optimizer_in_backward: bool = False,
    device: str | torch.device = "cpu",
) -> Cost:
    """Estimate what a step of maximum likelihood takes, without running one.

    A copy of the flow runs forward and backward on the meta device, where tensors have shapes but
    no values. Each op is counted as it is called: its additions and multiplications, the bytes it
    moves, and the bytes held from when they are made until they are let go, so the flow's own
    ``recompute`` is in the count. Only then are products of the largest of these sizes, a copy and
    a small op timed on the device, which takes well under a second.

    It is an estimate: for small Glows on one thread, memory was found within 15 % and time within
    20 % of what real steps took (``benchmarks/estimate.py``). On a machine whose load changes, and
    for ops that neither products nor memory bound, it is further off; only CPUs were tried.

    Args:
        flow: The flow, on any device; it is left as it is.
        x: A batch such as training sees, ``(b, *event_shape)``: its shape and dtype are read, and
            a tensor on the meta device will do.
        context: One row for each event, where the flow is conditional; likewise.
        optimizer_states: Numbers the optimiser keeps for each parameter; two for Adam.
        averages: Copies of the weights that are kept beside them.
        optimizer_in_backward: Whether each gradient is used and freed as soon as it is there.
        device: Where training would run.

    Returns:
        The estimate.

    Raises:
        ValueError: If an op of the flow cannot run on the meta device, or ``x`` does not fit.
    """
    device = torch.device(device)
    counted = _on_meta(flow).train()
    learned = [p for p in counted.parameters() if p.requires_grad]
    meter = Meter(chain(counted.parameters(), counted.buffers()))
    if optimizer_in_backward:
        for p in learned:
            p.register_post_accumulate_grad_hook(_free)
    events, rows = _batch_on_meta(x, context)
    try:
        with _path_of(device), meter:
            counted.log_prob(events, rows).mean().neg().backward()
    except (NotImplementedError, RuntimeError) as error:
        raise ValueError(
            f"flow: expected one whose ops run on the meta device, got one that does not: {error}"
        ) from error
    own = _bytes(chain(counted.parameters(), counted.buffers()))
    gradients = _bytes(p.grad for p in learned if p.grad is not None)
    activations = meter.peak - gradients
    passes = _ADAM_PASSES + 2 * optimizer_states + 3 * averages
    return Cost(
        batch_size=x.shape[0],
        parameters=sum(p.numel() for p in counted.parameters()),
        parameter_bytes=own,
        gradient_bytes=gradients,
        optimizer_bytes=optimizer_states * _bytes(learned),
        average_bytes=averages * _bytes(learned),
        activation_bytes=activations,
        workspace_bytes=round(WORKSPACE * activations) + LIBRARIES,
        flops=meter.flops,
        moved_bytes=meter.moved,
        update_bytes=passes * _bytes(learned),
        operations=meter.operations,
        rates=measure_rates(meter.products, device),
    )


def _free(parameter: Tensor) -> None:
    parameter.grad = None


def _on_meta(flow: Flow) -> Flow:
    """A copy of a flow without values."""
    copies: dict[int, Tensor] = {id(b): b.to("meta") for b in flow.buffers()}
    for p in flow.parameters():
        copies[id(p)] = nn.Parameter(p.detach().to("meta"), requires_grad=p.requires_grad)
    return copy.deepcopy(flow, copies)


def _batch_on_meta(x: Tensor, context: Context | None) -> tuple[Tensor, Context | None]:
    if isinstance(context, tuple):
        return x.to("meta"), tuple(part.to("meta") for part in context)
    return x.to("meta"), None if context is None else context.to("meta")


def _path_of(device: torch.device) -> AbstractContextManager[None]:
    """What makes the meta device, which counts as a CPU, take the path that a device takes."""
    return nullcontext() if device.type == "cpu" else plain()


def _bytes(tensors: Iterable[Tensor]) -> int:
    return sum(t.numel() * t.element_size() for t in tensors)
