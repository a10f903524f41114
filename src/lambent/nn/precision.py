"""In what precision conditioner networks run: the one place that decides."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Literal

import torch

Precision = Literal["auto", "float32", "bfloat16"]


def gains_from_bfloat16(device: torch.device) -> bool:
    """Whether networks train faster on a device in bfloat16 than in float32.

    On CUDA where the hardware has bfloat16. On no CPU: with vector instructions alone (AVX-512) its
    products are slower, and with matrix units (AMX) they are several times as fast, but half
    precision takes the plain path, on which a step then takes longer than in float32 on the fast
    one (``benchmarks/half_precision.py``). MPS was not measured.

    Args:
        device: Where the networks run.

    Returns:
        Whether it does.
    """
    if device.type == "cuda":
        with torch.cuda.device(device):
            return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    return False


def conditioner_dtype(device: torch.device, name: Precision = "auto") -> torch.dtype:
    """What a name for the conditioners' precision means on a device.

    Args:
        device: Where the networks run.
        name: ``float32``, ``bfloat16``, or ``auto`` for whichever is faster there.

    Returns:
        ``torch.float32`` or ``torch.bfloat16``.

    Raises:
        ValueError: If the name is unknown, or the device cannot mix the two.
    """
    if name not in ("auto", "float32", "bfloat16"):
        raise ValueError(f"precision: expected auto, float32 or bfloat16, got '{name}'")
    if name == "auto":
        return torch.bfloat16 if gains_from_bfloat16(device) else torch.float32
    if name == "bfloat16" and not torch.amp.is_autocast_available(device.type):
        raise ValueError(
            f"precision: expected float32 on '{device.type}', which has no automatic casts, "
            "got 'bfloat16'"
        )
    return torch.bfloat16 if name == "bfloat16" else torch.float32


def conditioner_precision(
    device: torch.device, name: Precision = "auto"
) -> AbstractContextManager[None]:
    """A context in which conditioner networks run in a precision, and nothing else changes.

    Networks compute in bfloat16 with float32 weights; transforms switch it off for what is their
    own, so events, log-determinants and densities stay in float32. Networks in float64 are left
    alone.

    Args:
        device: Where the networks run.
        name: ``float32``, ``bfloat16``, or ``auto`` for whichever is faster there.

    Returns:
        The context.

    Raises:
        ValueError: If the name is unknown, or the device cannot mix the two.
    """
    if conditioner_dtype(device, name) == torch.bfloat16:
        return torch.autocast(device.type, torch.bfloat16)
    return nullcontext()
