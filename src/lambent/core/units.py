"""What a likelihood is told in: bits per dimension of images, nats of all other events."""

from __future__ import annotations

import math
from dataclasses import dataclass

from lambent.core.distribution import Distribution
from lambent.types import Likelihood, Size

SIGN: dict[Likelihood, str] = {"exact": "=", "unbiased": "≈", "bound": "≤", "approximate": "≈"}
"""How a kind of likelihood is printed before a number of bits."""


@dataclass(frozen=True)
class Units:
    """The words for a flow's events, and the figure that people read of them.

    Bits per dimension are what training minimises, logs and compares, whatever the events are. They
    mean something to those who know images; of rows of numbers people state the log-likelihood of
    a row, in nats, which grows as the model gets better.
    """

    shape: Size
    """Shape of one event."""

    @property
    def of_images(self) -> bool:
        """Whether events are images, ``(c, h, w)``."""
        return len(self.shape) == 3

    @property
    def events(self) -> str:
        """What events are called."""
        return "images" if self.of_images else "rows"

    @property
    def name(self) -> str:
        """What stands behind a number."""
        return "bits/dim" if self.of_images else "nats"

    @property
    def title(self) -> str:
        """What the figure is called, on an axis or in a sentence."""
        return "bits per dimension" if self.of_images else "log-likelihood, nats"

    @property
    def figure(self) -> str:
        """The figure's key, and the name of a column of it."""
        return "bits_per_dim" if self.of_images else "log_likelihood"

    @property
    def factor(self) -> float:
        """What bits per dimension are multiplied by; below 0 where more is better."""
        return 1.0 if self.of_images else -math.prod(self.shape) * math.log(2)

    def sign(self, likelihood: Likelihood) -> str:
        """``=``, ``≈``, ``≤`` of bits, ``≥`` of a log-likelihood."""
        sign = SIGN[likelihood]
        return sign if self.of_images else sign.replace("≤", "≥")


def units_of(flow: Distribution) -> Units:
    """The units of a flow's events."""
    return Units(tuple(flow.event_shape))
