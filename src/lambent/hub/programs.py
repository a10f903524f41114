"""What a flow does, as modules whose every input is given: noise and latents too."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

from lambent.core.compose import Compose
from lambent.core.flow import Flow
from lambent.core.transform import zero_log_det
from lambent.distributions import StandardNormal
from lambent.hub.frozen import FrozenLabels, frozen
from lambent.nn import LabelEncoder
from lambent.transforms import Dequantise

Task = Literal["log_prob", "encode", "sample"]


class Program(nn.Module):
    """One thing a flow does.

    Args:
        flow: A flow over 8-bit images that starts by adding noise to them.

    Raises:
        ValueError: If it is another flow, or holds a layer that cannot be exported.
    """

    output: str
    """What it puts out."""
    steps: Compose

    def __init__(self, flow: Flow) -> None:
        super().__init__()
        self.event_shape = tuple(flow.event_shape)
        chain = flow.transform
        if not isinstance(chain, Compose) or not any(isinstance(s, Dequantise) for s in chain):
            raise ValueError(
                "flow: expected a chain of layers with a Dequantise among them, "
                f"got {type(chain).__name__}"
            )
        if not isinstance(flow.base, StandardNormal):
            raise ValueError(
                f"flow: expected a standard normal base, got {type(flow.base).__name__} at 'base'"
            )
        if not isinstance(flow.context_encoder, LabelEncoder | None):
            raise ValueError(
                "flow: expected a context of labels or none, "
                f"got {type(flow.context_encoder).__name__} at 'context_encoder'"
            )
        self.steps = frozen(chain, "transform")  # type: ignore[assignment]
        self.base = flow.base
        encoder = flow.context_encoder
        self.labels = None if encoder is None else FrozenLabels(encoder)
        self.classes = None if encoder is None else encoder.classes

    def context(self, labels: Tensor | None) -> Tensor | None:
        """What the layers read of labels."""
        return None if self.labels is None else self.labels(labels)

    def examples(self, n: int) -> dict[str, Tensor]:
        """Inputs by name, in order, for ``n`` events; drawn."""
        inputs = self.drawn(n)
        if self.classes is not None:
            inputs["labels"] = torch.randint(self.classes, (n,))
        return inputs

    def drawn(self, n: int) -> dict[str, Tensor]:
        """The inputs without the labels."""
        return {"images": torch.randint(256, (n, *self.event_shape), dtype=torch.uint8)}


class LogProb(Program):
    """Nats of images under given noise: ``(b, c, h, w)`` uint8, the same of noise, to ``(b,)``."""

    output = "log_prob"

    def drawn(self, n: int) -> dict[str, Tensor]:
        """Images and noise."""
        noise = torch.rand(n, *self.event_shape, dtype=self.base.origin.dtype)
        return {**super().drawn(n), "noise": noise}

    def forward(self, images: Tensor, noise: Tensor, labels: Tensor | None = None) -> Tensor:
        """``log p`` of the image with that noise; its mean over uniform noise is the bound."""
        context = self.context(labels)
        x, total = images, zero_log_det(noise)
        for step in self.steps:
            if isinstance(step, Dequantise):
                x = step.with_noise(x, noise)
            else:
                x, log_det = step(x, context)
                total = total + log_det
        log_prob: Tensor = self.base(x, context) + total
        return log_prob


class Encode(Program):
    """Latents of images, nothing drawn: ``(b, c, h, w)`` uint8 to ``(b, d)``."""

    output = "latents"

    def forward(self, images: Tensor, labels: Tensor | None = None) -> Tensor:
        """As :meth:`Flow.encode`."""
        return self.steps.encode(images, self.context(labels))


class Sample(Program):
    """Images of latents: ``(b, d)`` to ``(b, c, h, w)`` uint8; normal latents give samples."""

    output = "images"

    def drawn(self, n: int) -> dict[str, Tensor]:
        """Latents at temperature 0.7."""
        return {"latents": self.base.sample(n, temperature=0.7)}

    def forward(self, latents: Tensor, labels: Tensor | None = None) -> Tensor:
        """As :meth:`Flow.decode`."""
        return self.steps.decode(latents, self.context(labels))


PROGRAMS: dict[Task, type[Program]] = {"log_prob": LogProb, "encode": Encode, "sample": Sample}
