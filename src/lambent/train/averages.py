"""How much of a running average its next update keeps."""

from __future__ import annotations


def kept(decay: float | None, n: int) -> float:
    """The share of the old average that its ``n``-th update keeps; nothing before the first.

    Args:
        decay: Of an exponential moving average; a plain mean without it.
        n: Number of the update, from 1.

    Returns:
        The share.
    """
    if n < 1:
        return 0.0
    return n / (n + 1) if decay is None else min(decay, (1 + n) / (10 + n))
