"""How far two samples are apart, by the kernel two-sample statistic."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor


@torch.no_grad()
def discrepancy(x: Float[Tensor, "n d"], y: Float[Tensor, "m d"]) -> float:
    r"""The maximum mean discrepancy with a Gaussian kernel, from the biased estimate.

    ``MMD^2 = mean k(x, x') + mean k(y, y') - 2 mean k(x, y)`` over all pairs, with
    ``k = exp(-|x - y|^2 / (2 s^2))`` and ``s`` the median distance within ``y``. Two samples of one
    distribution are about ``sqrt(1 / n + 1 / m)`` apart, which is the yardstick.

    Args:
        x: Events of a model, at least 2.
        y: Events of the data, at least 2.

    Returns:
        MMD, 0 for equal samples, at most ``sqrt(2)``.

    Raises:
        ValueError: If there are fewer than 2 of either.

    References:
        A. Gretton et al., "A Kernel Two-Sample Test", 2012, JMLR 13, eq. 5.
    """
    for name, events in (("x", x), ("y", y)):
        if len(events) < 2:
            raise ValueError(f"{name}: expected at least 2 events, got {len(events)}")
    square = 2 * torch.pdist(y).median().square()

    def k(a: Tensor, b: Tensor) -> Tensor:
        return (-torch.cdist(a, b).square() / square).exp().mean()

    mmd2 = k(x, x) + k(y, y) - 2 * k(x, y)
    return float(mmd2.clamp_min(0).sqrt())
