"""What a config asks for, held against what the weights' file holds, before it is allocated.

The flow is built on the meta device, where tensors have shapes and no memory, under a count of what
it registers: a flow cannot have many more parts than the file has tensors, so a config that asks
for ten million layers is given up after a few hundred. What is left is compared with the names,
shapes and types in the file's header. Only a config that fits is built for real, so the memory that
loading takes is a small multiple of the file. Nothing here knows a family.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn
from torch.nn.modules.module import (
    register_module_buffer_registration_hook,
    register_module_module_registration_hook,
    register_module_parameter_registration_hook,
)

from lambent.core.flow import Flow
from lambent.core.registry import build

LARGEST_EVENT = 2**28
"""Numbers in an event, at most: a picture of 9,000 x 9,000 in colour."""
UNSAVED_BYTES = 2**26
"""What a flow may keep beside its weights, such as a table of one-hot labels."""

Header = Mapping[str, tuple[tuple[int, ...], str]]
"""Shape and type of each tensor of a file, by name."""

_TYPES = {
    torch.float64: "F64",
    torch.float32: "F32",
    torch.float16: "F16",
    torch.bfloat16: "BF16",
    torch.int64: "I64",
    torch.int32: "I32",
    torch.int16: "I16",
    torch.int8: "I8",
    torch.uint8: "U8",
    torch.bool: "BOOL",
}


class _TooManyPartsError(ValueError):
    """A config asks for more parts than the file can fill."""


def check_config(family: str, config: Mapping[str, Any], dtype: torch.dtype, held: Header) -> None:
    """Raise unless a config can be built, and is of the size of the file.

    Args:
        family: The family's name.
        config: Its config's fields.
        dtype: Of the floating-point weights.
        held: What the file of weights holds.

    Raises:
        ValueError: If the config is not one, or asks for more than the file can fill; the message
            is about the config.
    """
    flow = _outline(family, config, dtype, len(held))
    size = math.prod(flow.event_shape)
    if size > LARGEST_EVENT:
        raise ValueError(f"expected events of at most {LARGEST_EVENT} numbers, got {size}")
    saved = flow.state_dict()
    unsaved = sum(
        b.numel() * b.element_size() for name, b in flow.named_buffers() if name not in saved
    )
    if unsaved > UNSAVED_BYTES:
        raise ValueError(
            f"expected at most {UNSAVED_BYTES} bytes beside the weights, the config asks for "
            f"{unsaved}"
        )
    wrong = _difference(saved, held)
    if wrong is not None:
        raise MisfitError(wrong)


class MisfitError(ValueError):
    """The weights are not those of the config; the message is about the weights."""


def _outline(family: str, config: Mapping[str, Any], dtype: torch.dtype, tensors: int) -> Flow:
    """The flow on the meta device; given up once it has too many parts."""
    try:
        with torch.device("meta"), _at_most(1000 + 16 * tensors):
            return build(family, config).to(dtype)
    except _TooManyPartsError as error:
        raise MisfitError(f"{tensors} tensors, too few for what config.json asks for") from error
    except (TypeError, ArithmeticError, RuntimeError, MemoryError) as error:
        # Sizes beyond 64 bits reach torch as numbers it cannot take.
        reason = str(error).strip().split("\n")[0]
        raise ValueError(f"expected a config that can be built, got: {reason}") from error


@contextmanager
def _at_most(limit: int) -> Iterator[None]:
    """Give up once this thread has registered more parameters, buffers and modules."""
    thread = threading.get_ident()
    count = 0

    def counted(*_: Any) -> None:
        nonlocal count
        count += threading.get_ident() == thread
        if count > limit:
            raise _TooManyPartsError

    hooks = [
        register_module_parameter_registration_hook(counted),
        register_module_buffer_registration_hook(counted),
        register_module_module_registration_hook(counted),
    ]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


def _difference(saved: Mapping[str, torch.Tensor], held: Header) -> str | None:
    """The first thing in which a file is not what a flow would save."""
    for name, tensor in saved.items():
        if name not in held:
            return f"no tensor '{name}'"
        shape, kind = held[name]
        if shape != tuple(tensor.shape):
            return f"'{name}' of shape {list(shape)} where it has {list(tensor.shape)}"
        if kind != _TYPES.get(tensor.dtype):
            return f"'{name}' of type {kind} where it has {_TYPES.get(tensor.dtype)}"
    extra = next((name for name in held if name not in saved), None)
    return None if extra is None else f"a tensor '{extra[:80]}' that it does not have"


def check_values(tensors: Mapping[str, nn.Parameter | torch.Tensor]) -> None:
    """Raise if a weight is NaN or infinite.

    Args:
        tensors: By name.

    Raises:
        MisfitError: If so; the message names the tensor.
    """
    for name, tensor in tensors.items():
        if tensor.is_floating_point() and not bool(tensor.isfinite().all()):
            raise MisfitError(f"'{name}' with numbers that are not finite")


def check_state(flow: nn.Module) -> None:
    """Raise if a buffer cannot be what its layer keeps, such as an order that is no permutation.

    Args:
        flow: With its weights. Layers say so themselves, by a method ``check_state``.

    Raises:
        MisfitError: If so; the message names the layer.
    """
    for name, module in flow.named_modules():
        check = getattr(module, "check_state", None)
        if check is not None:
            try:
                check()
            except ValueError as error:
                raise MisfitError(f"'{name}' with {str(error)[:200]}") from error
