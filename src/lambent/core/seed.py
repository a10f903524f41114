"""Fixed draws."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Draw from torch's global generators as seeded, and put their states back afterwards.

    Args:
        seed: The seed.

    Example:
        >>> with seeded(0):
        ...     a = torch.rand(1)
        >>> with seeded(0):
        ...     b = torch.rand(1)
        >>> bool(a == b)
        True
    """
    on_mps = torch.backends.mps.is_available()
    state = torch.mps.get_rng_state() if on_mps else None
    try:
        with torch.random.fork_rng(devices=range(torch.cuda.device_count())):
            torch.manual_seed(seed)
            yield
    finally:
        if state is not None:
            torch.mps.set_rng_state(state)
