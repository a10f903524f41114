"""Which of two equal paths runs: the fast one with hand-written backward passes, or the plain one.

The plain path is made of the library's own operations, so it has everything autograd has: second
derivatives, forward mode, vmap, torch.compile, half precision, every device. The fast path gives
the same values and gradients where it is faster: float32 and float64 on the CPU, by
``benchmarks/glow_step.py``. This file alone decides.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import torch
from torch import Tensor

_PLAIN: ContextVar[bool] = ContextVar("plain", default=False)


@contextmanager
def plain() -> Iterator[None]:
    """Take the plain path inside a ``with`` block: for second derivatives, and to compare.

    Nothing is rebuilt by inverses either. A graph built inside keeps its plain backward pass
    outside.

    Example:
        >>> with plain():
        ...     takes_fast_path(torch.zeros(1))
        False
    """
    token = _PLAIN.set(True)
    try:
        yield
    finally:
        _PLAIN.reset(token)


def is_plain() -> bool:
    """Whether :func:`plain` is in force."""
    return _PLAIN.get()


def takes_fast_path(x: Tensor) -> bool:
    """Whether work on a tensor takes the fast path.

    Args:
        x: The tensor; one on the meta device counts as one on the CPU.

    Returns:
        True for float32 and float64 on the CPU, unless there is nothing in it, or asked otherwise
        by :func:`plain`, or under torch.compile, autocast, or a transform of ``torch.func``.
    """
    if torch.compiler.is_compiling() or _PLAIN.get():
        return False
    return (
        x.device.type in ("cpu", "meta")
        and x.dtype in (torch.float32, torch.float64)
        and x.numel() > 0
        and not torch.is_autocast_enabled("cpu")
        and not torch._C._are_functorch_transforms_active()
    )
