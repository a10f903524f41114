"""Random orders that never change."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Bool, Int64
from torch import Tensor


def shuffled(size: int, *key: int) -> Int64[Tensor, " size"]:
    """Return a random order of ``0 .. size - 1`` that depends on the key alone.

    The order sorts the raw output of a PCG64 generator. NumPy guarantees that output for ever
    (NEP 19), which it does not for ``Generator.permutation``, nor PyTorch for ``randperm``; so a
    held-out set stays held out when libraries are upgraded.

    Args:
        size: How many numbers to order.
        *key: Numbers from 0, such as a seed and an epoch.

    Returns:
        The order, int64 (size,).
    """
    entropy = (len(key), *key)  # NumPy seeds (1,) and (1, 0) alike
    draws = np.random.PCG64(np.random.SeedSequence(entropy)).random_raw(size)
    return torch.from_numpy(np.argsort(draws, kind="stable").astype(np.int64, copy=False))


def held_out_rows(size: int, fraction: float, seed: int) -> Bool[Tensor, " size"]:
    """Mark a random share of ``size`` rows: at least one, and never all.

    Args:
        size: Number of rows, at least 2.
        fraction: Share to mark.
        seed: Chooses which.

    Returns:
        True where a row is held out, bool (size,).
    """
    count = min(size - 1, max(1, round(fraction * size)))
    held_out = torch.zeros(size, dtype=torch.bool)
    held_out[shuffled(size, seed)[:count]] = True
    return held_out
