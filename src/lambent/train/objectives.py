"""What training minimises."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar

import torch.nn.functional as F
from torch import Tensor, nn

from lambent.core.context import context_of
from lambent.core.flow import Flow
from lambent.core.ledger import Entry, log_likelihood, trace
from lambent.nn import ZeroLinear
from lambent.nn.precision import Precision, conditioner_precision
from lambent.transforms import MultiScale

Judgement = tuple[Tensor, dict[str, Tensor]]
"""The loss of a batch, a scalar, and what to log of it."""


class Objective(nn.Module, ABC):
    """What training minimises, from images and labels or from a ledger that is there already."""

    reads_states: ClassVar[bool] = True
    """Whether it reads what steps put out from a ledger, beside what they contribute."""

    @abstractmethod
    def forward(
        self, flow: Flow, x: Tensor, y: Tensor | None, precision: Precision = "float32"
    ) -> Judgement:
        """Judge the flow on images ``(b, *event_shape)`` and their labels ``(b,)``.

        The flow's networks run in ``precision``; what is made of its figures stays in float32.
        """

    @abstractmethod
    def of_ledger(self, flow: Flow, entries: Sequence[Entry], y: Tensor | None) -> Judgement:
        """The same, from the ledger of those images."""


class MaximumLikelihood(Objective):
    r"""Mean bits per dimension: ``-log2 p(x | c) / D``."""

    reads_states = False

    def forward(
        self, flow: Flow, x: Tensor, y: Tensor | None, precision: Precision = "float32"
    ) -> Judgement:
        """One pass, without a ledger."""
        with conditioner_precision(x.device, precision):
            log_prob = flow(x, context_of(flow, x, y))
        return self._of(flow, log_prob)

    def of_ledger(self, flow: Flow, entries: Sequence[Entry], y: Tensor | None) -> Judgement:
        """What the ledger sums to."""
        return self._of(flow, log_likelihood(entries))

    def _of(self, flow: Flow, log_prob: Tensor) -> Judgement:
        bits = bits_per_dim(flow, log_prob)
        return bits, {"bits_per_dim": bits.detach()}


class LikelihoodAndClass(Objective):
    r"""Bits per dimension plus weighted bits of the label, read off the top latent.

    ``loss = bits/dim + w (-log2 q(y | h))`` with ``h`` the spatial mean of the top latent before
    its prior, and ``q`` a linear head that starts at zero.

    Args:
        flow: The flow, multi-scale.
        classes: Number of classes.
        weight: ``w``; 0.01 in the released Glow.

    Raises:
        ValueError: If the flow is not multi-scale.

    References:
        The released code of D. Kingma and P. Dhariwal, "Glow", 2018 (``weight_y``).
    """

    def __init__(self, flow: Flow, classes: int, weight: float) -> None:
        super().__init__()
        scales = [m for m in flow.transform.modules() if isinstance(m, MultiScale)]
        if len(scales) != 1:
            raise ValueError("class_weight: expected a multi-scale flow")
        self.head = ZeroLinear(scales[0].latent_shapes[-1][0], classes)
        self.weight = weight

    def forward(
        self, flow: Flow, x: Tensor, y: Tensor | None, precision: Precision = "float32"
    ) -> Judgement:
        """One pass, with its ledger."""
        with conditioner_precision(x.device, precision):
            entries = trace(flow, x, context_of(flow, x, y))
        return self.of_ledger(flow, entries, y)

    def of_ledger(self, flow: Flow, entries: Sequence[Entry], y: Tensor | None) -> Judgement:
        """What the ledger sums to, and the class read off the top latent."""
        if y is None:
            raise ValueError("class_weight: expected labelled data, got none")
        bits = bits_per_dim(flow, log_likelihood(entries))
        logits = self.head(top_latent(entries).mean((2, 3)))
        class_bits = F.cross_entropy(logits, y) / math.log(2)
        accuracy = (logits.argmax(1) == y).float().mean()
        logs = {"bits_per_dim": bits, "class_bits": class_bits, "class_accuracy": accuracy}
        return bits + self.weight * class_bits, {k: v.detach() for k, v in logs.items()}


def bits_per_dim(flow: Flow, log_prob: Tensor) -> Tensor:
    """The mean of log-likelihoods ``(b,)`` in nats, in bits per dimension."""
    return -log_prob.mean() / (math.prod(flow.event_shape) * math.log(2))


def top_latent(entries: Sequence[Entry]) -> Tensor:
    """The last level's output before its prior, ``(b, c, h, w)``."""
    spatial = [e for e in entries if e.z.ndim == 4 and not e.path.endswith(".prior")]
    return spatial[-1].z


def objective_for(flow: Flow, classes: int | None, class_weight: float) -> Objective:
    """The objective that a class weight asks for.

    Args:
        flow: The flow to train.
        classes: Number of classes in the data, where it is labelled.
        class_weight: Weight of the class head; 0 for none.

    Returns:
        The objective.

    Raises:
        ValueError: If a class weight is given and the data has no labels.
    """
    if class_weight == 0:
        return MaximumLikelihood()
    if classes is None:
        raise ValueError(f"class_weight: expected labelled data for {class_weight}, got none")
    return LikelihoodAndClass(flow, classes, class_weight)
