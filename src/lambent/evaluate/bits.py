"""Bits per dimension of a flow on a data set, with where they come from."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from lambent.core.context import given
from lambent.core.flow import Flow
from lambent.core.ledger import Entry, log_likelihood, trace
from lambent.core.seed import seeded
from lambent.core.units import SIGN, Units
from lambent.data import EventSet
from lambent.distributions import StandardNormal
from lambent.evaluate.bootstrap import bootstrap_interval
from lambent.evaluate.events import events
from lambent.evaluate.importance import Draws
from lambent.evaluate.parts import bits_by_part, level_of
from lambent.transforms import MultiScale, Quantise
from lambent.types import Likelihood, Size


@dataclass(frozen=True)
class Evaluation:
    """What :func:`measure` found, in bits per dimension unless the name says otherwise."""

    bits_per_dim: float
    """Mean over the images."""
    standard_error: float
    """Standard error of that mean."""
    interval: tuple[float, float] | None
    """The bootstrap's 95 % interval of that mean; nothing for a single image."""
    likelihood: Likelihood
    """Kind of the likelihood; a ``bound`` lies above the true bits."""
    importance_samples: int
    """Draws of the noise for each image that the bound averages, as probabilities."""
    grey_levels: int | None
    """The number is of the image at this many grey levels, where it was quantised."""
    images: int
    """How many images."""
    shape: Size
    """Shape of one image."""
    given: str | None
    """What it is conditioned on: ``label``, ``image``, ``label and image``, if anything."""
    parts: dict[str, float]
    """Share of each kind of step; they sum to ``bits_per_dim``. With several draws of the noise,
    the shares are the first draw's, and ``importance`` is what the others change."""
    levels: list[float]
    """Share of each scale, finest first, its latent's density included; empty without scales."""
    marginal_bits_per_dim: float | None
    """Without the label, ``-log2 mean_y p(x | y)`` at equal class weights; only on request."""
    label_accuracy: float | None
    """How often the label is the class of largest ``p(x | y)``; only on request."""

    @property
    def dims(self) -> int:
        """Dimensions of one image."""
        return math.prod(self.shape)

    @property
    def units(self) -> Units:
        """What people are told it in."""
        return Units(self.shape)

    @property
    def log_likelihood(self) -> float:
        """Mean log-likelihood of an event, in nats."""
        return -self.bits_per_dim * self.dims * math.log(2)

    @property
    def sign(self) -> str:
        """``=``, ``≈`` or ``≤``."""
        return SIGN[self.likelihood]


@torch.no_grad()
def measure(
    flow: Flow,
    images: EventSet,
    *,
    batch_size: int = 256,
    seed: int = 0,
    marginal: bool = False,
    importance_samples: int = 1,
    bootstrap: int = 1000,
) -> Evaluation:
    """Measure a flow on images, in bits per dimension.

    Args:
        flow: The flow; put in eval mode.
        images: The images, with labels if the flow is conditional.
        batch_size: Images at a time.
        seed: Of the dequantisation noise, and of the bootstrap.
        marginal: For a flow conditional on labels, also sum over all classes, at their number
            times the cost.
        importance_samples: Draws of the noise for each image, at their number times the cost; the
            bound tightens with them. Only for a flow whose likelihood is a bound.
        bootstrap: Resamples of the images for ``interval``.

    Returns:
        The figures.

    Raises:
        ValueError: If a conditional flow meets images without labels, ``marginal`` is asked of
            an unconditional one, several draws are asked of one that draws none, or a number is
            less than 1.
    """
    flow.eval()
    draws = Draws(importance_samples, seed)
    draws.check_allows(flow)
    if bootstrap < 1:
        raise ValueError(f"bootstrap: expected at least 1, got {bootstrap}")
    dims = math.prod(flow.event_shape)
    condition = given(flow)
    if marginal and condition != "label":
        got = "an unconditional one" if condition is None else f"one of the {condition}"
        raise ValueError(f"marginal: expected a flow conditional on labels, got {got}")
    bits: list[Tensor] = []
    marginals: list[Tensor] = []
    right: list[Tensor] = []
    parts: dict[str, float] = defaultdict(float)
    levels: dict[int, float] = defaultdict(float)
    with seeded(seed):
        for x, context in events(flow, images, batch_size):
            entries = trace(flow, x, context, states=False)
            first = log_likelihood(entries)
            nats = draws.log_mean(first, partial(flow.log_prob, x, context))
            bits.append(-nats / (dims * math.log(2)))
            if importance_samples > 1:
                parts["importance"] += float((first.cpu() - nats).sum()) / (dims * math.log(2))
            for part, value in bits_by_part(entries, dims).items():
                parts[part] += value * len(x)
            for level, value in _bits_by_level(flow, entries, dims).items():
                levels[level] += value * len(x)
            if marginal and isinstance(context, Tensor):
                of_classes = partial(log_prob_by_class, flow, x)
                by_class = draws.log_mean(of_classes(), of_classes)
                log_mean = by_class.logsumexp(0) - math.log(len(by_class))
                marginals.append(-log_mean / (dims * math.log(2)))
                right.append(torch.eq(by_class.argmax(0), context.cpu()).double())
    all_bits = torch.cat(bits).double()
    count = len(all_bits)
    return Evaluation(
        bits_per_dim=float(all_bits.mean()),
        standard_error=float(all_bits.std() / math.sqrt(count)) if count > 1 else math.nan,
        interval=bootstrap_interval(all_bits.numpy(), bootstrap, seed),
        likelihood=flow.likelihood,
        importance_samples=importance_samples,
        grey_levels=grey_levels(flow),
        images=count,
        shape=tuple(flow.event_shape),
        given=condition,
        parts={part: value / count for part, value in parts.items()},
        levels=[levels[level] / count for level in sorted(levels)],
        marginal_bits_per_dim=float(torch.cat(marginals).mean()) if marginal else None,
        label_accuracy=float(torch.cat(right).mean()) if marginal else None,
    )


def grey_levels(flow: Flow) -> int | None:
    """The grey levels a flow quantises its images to, if it does."""
    for module in flow.transform.modules():
        if isinstance(module, Quantise):
            return module.grey_levels
    return None


def log_prob_by_class(flow: Flow, x: Tensor) -> Tensor:
    """``log p(x | y)`` for every class under the same noise, nats, ``(classes, b)``."""
    classes: int = flow.context_encoder.classes  # type: ignore[union-attr, assignment]
    labels = [torch.full((len(x),), k, device=x.device) for k in range(classes)]
    noise = int(torch.randint(2**31, ()))
    by_class = []
    for label in labels:
        with seeded(noise):
            by_class.append(flow.log_prob(x, label))
    return torch.stack(by_class)


def _bits_by_level(flow: Flow, entries: list[Entry], dims: int) -> dict[int, float]:
    """Mean bits of each scale: its steps and the standard normal density of what it emits."""
    scales = [m for m in flow.transform.modules() if isinstance(m, MultiScale)]
    if len(scales) != 1 or not isinstance(flow.base, StandardNormal):
        return {}
    nats: dict[int, float] = defaultdict(float)
    for entry in entries:
        level = level_of(entry.path)
        if level is not None:
            nats[level] += float(entry.log_likelihood.mean())
    for level, latent in enumerate(scales[0].latents(entries[-1].z)):
        density = StandardNormal(latent.shape[1:]).to(latent.device)
        nats[level] += float(density(latent).mean())
    return {level: -value / (dims * math.log(2)) for level, value in nats.items()}
