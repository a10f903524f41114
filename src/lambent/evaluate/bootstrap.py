"""How far a mean over images might be from that over other images."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt


def bootstrap_interval(
    values: npt.NDArray[np.float64], resamples: int, seed: int
) -> tuple[float, float] | None:
    """The percentile interval of the mean that covers 95 %, over resampled images.

    Args:
        values: One figure for each image, ``(n,)``.
        resamples: How often to draw ``n`` images with replacement.
        seed: Of the draws.

    Returns:
        The 2.5 % and 97.5 % quantiles of the means; nothing for a single image.

    Raises:
        ValueError: If ``resamples`` is less than 1.

    References:
        B. Efron and R. Tibshirani, "An Introduction to the Bootstrap", 1993, section 13.3.
    """
    if resamples < 1:
        raise ValueError(f"bootstrap: expected at least 1, got {resamples}")
    if len(values) < 2:
        return None
    draw = np.random.default_rng(seed)
    means = [values[draw.integers(len(values), size=len(values))].mean() for _ in range(resamples)]
    low, high = np.quantile(means, (0.025, 0.975))
    return float(low), float(high)
