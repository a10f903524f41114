"""Several draws of the noise for each image, as one importance-weighted bound."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from lambent.core.flow import Flow
from lambent.core.seed import seeded


class Draws:
    r"""Further draws of what ``log_prob`` draws, averaged as probabilities.

    ``log P(x) >= E log 1/K sum_k p(x + u_k) >= E log p(x + u)``: the bound rises with ``K``. The
    first draw is the caller's; the others have seeds of their own, so that it stays what it is
    without them. One draw is held at a time.

    Args:
        samples: Draws in all, ``K``.
        seed: Of the draws after the first.

    Raises:
        ValueError: If ``samples`` is less than 1.

    References:
        Y. Burda, R. Grosse and R. Salakhutdinov, "Importance Weighted Autoencoders", 2016,
        arXiv:1509.00519, eq. 8; of dequantisation noise: J. Ho et al., "Flow++", 2019,
        arXiv:1902.00275, section 4.1.
    """

    def __init__(self, samples: int, seed: int) -> None:
        if samples < 1:
            raise ValueError(f"importance_samples: expected at least 1, got {samples}")
        self.samples = samples
        self._seeds = torch.Generator().manual_seed(seed)

    def check_allows(self, flow: Flow) -> None:
        """Raise if a flow draws nothing that could be drawn again.

        Args:
            flow: The flow.

        Raises:
            ValueError: If more than one draw is asked for, and the likelihood is no bound.
        """
        if self.samples > 1 and flow.likelihood != "bound":
            raise ValueError(
                "importance_samples: expected 1 for a flow whose likelihood is "
                f"{flow.likelihood}, got {self.samples}"
            )

    def log_mean(self, first: Tensor, again: Callable[[], Tensor]) -> Tensor:
        """``ln`` of the mean over the draws, summed up in float64.

        Args:
            first: ``log p`` at the first draw, nats.
            again: Gives ``log p`` at another.

        Returns:
            Nats, of the shape of ``first``, on the CPU, as some devices have no float64; the
            values of ``first`` itself where it is alone.
        """
        if self.samples == 1:
            return first.cpu()
        total = first.cpu().double()
        for _ in range(self.samples - 1):
            with seeded(int(torch.randint(2**62, (), generator=self._seeds))):
                total = torch.logaddexp(total, again().cpu().double())
        return total - math.log(self.samples)
