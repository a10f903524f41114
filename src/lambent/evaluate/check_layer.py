"""A flow's layers one after another, each measured on the inputs it really gets."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from lambent.core.flow import Flow
from lambent.core.rebuild import context_tensors, like_context
from lambent.core.transform import Entry, Transform
from lambent.errors import DomainError, NotInvertibleError
from lambent.evaluate.check_scale import scales
from lambent.types import Context

REFUSALS = (
    DomainError,
    NotInvertibleError,
    torch.linalg.LinAlgError,  # type: ignore[attr-defined]
)
"""How a layer says that it cannot do what was asked of it."""


@dataclass(frozen=True, kw_only=True)
class LayerCheck:
    """What was found of one layer; None where it does not apply."""

    path: str
    """Dotted name, as in the ledger."""
    layer: str
    """Its class."""
    round_trip_float32: float | None = None
    """Largest ``|inverse(forward(x)) - x|`` in float32, relative to inputs above 1."""
    round_trip_float64: float | None = None
    """The same in float64."""
    smallest_scale: float | None = None
    """Smallest factor over the batch; of a 1x1 weight, its smallest singular value."""
    largest_scale: float | None = None
    """Largest factor, likewise."""
    condition: float | None = None
    """Condition number of a 1x1 weight, in float64."""
    not_finite: tuple[str, ...] = ()
    """What holds NaN or infinity: names of parameters, ``input``, ``output``, ``contribution``."""


class Met(NamedTuple):
    """A layer as the walk met it."""

    entry: Entry
    """Its line of the ledger."""
    layer: nn.Module | None
    """A transform, or the base in the last line; None if the line is no layer's own."""
    x: Tensor
    """What it was given."""
    context: Context | None
    """What it was conditioned on."""


def walk_layers(flow: Flow, x: Tensor, context: Context | None) -> Iterator[Met]:
    """The ledger's steps with the layer behind each and its inputs, then the base.

    Args:
        flow: The flow.
        x: Events, ``(b, *event_shape)``.
        context: As the layers read it.

    Yields:
        One layer at a time; nothing of those before it is kept.
    """
    last: list[tuple[Transform, tuple[Any, ...], dict[str, Any]]] = []

    def note(layer: Any, args: tuple[Any, ...], kwargs: dict[str, Any], output: Any) -> None:
        last[:] = [(layer, args, kwargs)]  # a layer within a layer is called before it ends

    leaves = [
        m
        for m in flow.transform.modules()
        if isinstance(m, Transform) and type(m).walk is Transform.walk
    ]
    hooks = [leaf.register_forward_hook(note, with_kwargs=True) for leaf in leaves]
    z = x
    try:
        walk = flow.transform.walk(x, context)
        while True:
            try:
                entry = next(walk)
            except StopIteration as end:
                z = end.value
                break
            if last:
                layer, args, kwargs = last.pop()
                given = {**dict(zip(("x", "context"), args, strict=False)), **kwargs}
                yield Met(entry, layer, given["x"], given.get("context"))
            else:
                yield Met(entry, None, z, context)
            z = entry.z
            last.clear()  # what was asked of the layer, or of a copy, meanwhile
    finally:
        for hook in hooks:
            hook.remove()
    yield Met(Entry("base", z, flow.base(z, context)), flow.base, z, context)


def check_layer(met: Met) -> LayerCheck:
    """Measure one layer.

    Args:
        met: The layer and its inputs.

    Returns:
        The figures.
    """
    layer = met.layer
    name = "" if layer is None else type(layer).__name__
    bad = _not_finite(met)
    if not isinstance(layer, Transform) or bad:
        return LayerCheck(path=met.entry.path, layer=name, not_finite=bad)
    found = scales(layer, met.x, met.context)
    return LayerCheck(
        path=met.entry.path,
        layer=name,
        round_trip_float32=_round_trip(layer, met.x, met.context, torch.float32),
        round_trip_float64=_round_trip(layer, met.x, met.context, torch.float64),
        smallest_scale=found and found.smallest,
        largest_scale=found and found.largest,
        condition=found and found.condition,
    )


def parameters_not_finite(module: nn.Module) -> tuple[str, ...]:
    """The names of the parameters that hold NaN or infinity."""
    return tuple(name for name, p in module.named_parameters() if not bool(p.isfinite().all()))


def _not_finite(met: Met) -> tuple[str, ...]:
    """What of a layer holds NaN or infinity; not its output where it was given such."""
    names = [] if met.layer is None else list(parameters_not_finite(met.layer))
    if not all(bool(t.isfinite().all()) for t in (met.x, *context_tensors(met.context))):
        return (*names, "input")
    if not bool(met.entry.z.isfinite().all()):
        names.append("output")
    elif not bool(met.entry.log_likelihood.isfinite().all()):
        names.append("contribution")
    return tuple(names)


def _round_trip(
    layer: Transform, x: Tensor, context: Context | None, dtype: torch.dtype
) -> float | None:
    """The error of a layer's round trip in a precision; infinite if it is refused."""
    if layer.stochastic_inverse:
        return None
    layer = copy.deepcopy(layer).to(dtype)
    x, context = as_dtype(x, dtype), context_as_dtype(context, dtype)
    try:
        back = layer.inverse(layer(x, context)[0], context)[0]
    except REFUSALS:
        return torch.inf
    return relative_error(back, x)


def relative_error(found: Tensor, expected: Tensor) -> float:
    """The largest difference, divided by the largest expected value where that is above 1."""
    if not expected.numel():
        return 0.0
    expected = expected.double()
    error = float((found.double() - expected).abs().max() / expected.abs().max().clamp(min=1))
    return error if error == error else torch.inf


def as_dtype(values: Tensor, dtype: torch.dtype) -> Tensor:
    """Floats in a precision; integers as they are."""
    return values.to(dtype) if values.is_floating_point() else values


def context_as_dtype(context: Context | None, dtype: torch.dtype) -> Context | None:
    """Every part of a context in a precision."""
    return like_context([as_dtype(part, dtype) for part in context_tensors(context)], context)
