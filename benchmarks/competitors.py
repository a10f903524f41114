"""The Glows that ``glow_step.py`` compares: ours in its forms, and normflows' in two layouts.

Each takes a batch of random 8-bit images; normflows is handed them as floats with their noise, so
that it need not make them.
"""

from __future__ import annotations

import torch
from equal_time_arms import jittered
from peer import normflows_glow
from torch import Tensor, nn

import lambent
from lambent.flows import GlowConfig
from lambent.train import TrainConfig
from lambent.train.optimizers import optimizer_for

OURS = {  # what differs from the default config
    "ours": {},
    "ours_checkpoint": {"recompute": "checkpoint"},
    "ours_inverse": {"recompute": "inverse"},
    "ours_bias": {"norm": "bias", "border": False},  # the peer's network
}
IN_BACKWARD = "ours_checkpoint_in_backward"
PEERS = {"normflows": torch.contiguous_format, "normflows_channels_last": torch.channels_last}
NAMES = (*OURS, IN_BACKWARD, *PEERS)


def pictures(shape: tuple[int, int, int], batch: int) -> Tensor:
    """Smooth random 8-bit images, so that weights set from them are those of pictures."""
    with lambent.seeded(0):
        coarse = torch.rand(batch, shape[0], 5, 5)
        smooth = nn.functional.interpolate(coarse, shape[1:], mode="bicubic", align_corners=True)
        noise = 0.05 * torch.randn(batch, *shape)
        return (255 * (smooth + noise).clamp(0, 1)).to(torch.uint8)


class Competitor:
    """A Glow with its batch and, once asked for, its optimiser."""

    def __init__(self, model: nn.Module, x: Tensor, *, fused: bool) -> None:
        self.model = model
        self.x = x
        self.fused = fused
        self.optimizer: torch.optim.Optimizer | None = None

    def nats(self) -> Tensor:
        """Minus the log-likelihood of each image."""
        raise NotImplementedError

    def initialise(self) -> None:
        """Set what comes from the first batch, without gradient."""
        raise NotImplementedError

    def draw(self) -> Tensor:
        """As many samples as there are images in the batch."""
        raise NotImplementedError

    def make_optimizer(self) -> None:
        """Adam: torch's default for the peer, fused for ours."""
        fused = {"fused": True} if self.fused else {}
        self.optimizer = torch.optim.Adam(self.model.parameters(), lr=1e-6, **fused)

    def backward(self) -> None:
        """Forward and backward."""
        loss = self.nats().mean() / self.x[0].numel()
        loss.backward()
        if not torch.isfinite(loss):
            raise FloatingPointError(f"the loss is {float(loss)}")

    def train(self) -> None:
        """Forward, backward and the optimiser's step."""
        if self.optimizer is None:
            self.make_optimizer()
        self.optimizer.zero_grad()
        self.backward()
        self.optimizer.step()

    @torch.no_grad()
    def log_prob(self) -> None:
        """The likelihood of the batch, without gradient."""
        self.nats()

    @torch.no_grad()
    def sample(self) -> None:
        """Samples, without gradient."""
        self.draw()


class Ours(Competitor):
    """Our Glow."""

    def __init__(self, config: GlowConfig, x: Tensor) -> None:
        super().__init__(lambent.glow(config), x, fused=True)

    def initialise(self) -> None:
        """Set the data-initialised layers."""
        lambent.initialize(self.model, self.x)

    def nats(self) -> Tensor:
        """Minus the log-likelihood of each image, its noise drawn here."""
        return -self.model.log_prob(self.x)

    def draw(self) -> Tensor:
        """Samples, 8-bit."""
        return self.model.sample(len(self.x))


class InBackward(Ours):
    """Our Glow, its weights updated inside the backward pass."""

    def make_optimizer(self) -> None:
        """Fused Adam, updating as gradients come."""
        config = TrainConfig(learning_rate=1e-6, clip_norm=None, optimizer_in_backward=True)
        self.optimizer = optimizer_for(self.model, config, lambda _: None)

    def train(self) -> None:
        """Forward, and backward with the optimiser's step inside it."""
        if self.optimizer is None:
            self.make_optimizer()
        self.optimizer.step(self.backward)


class Normflows(Competitor):
    """normflows' Glow, with a plain diagonal Gaussian as each level's base."""

    def __init__(self, model: nn.Module, x: Tensor, layout: torch.memory_format) -> None:
        super().__init__(
            model.to(memory_format=layout), jittered(x).to(memory_format=layout), fused=False
        )

    @torch.no_grad()
    def initialise(self) -> None:
        """Its actnorms take their values from the first batch they see."""
        self.nats()

    def nats(self) -> Tensor:
        """Minus the log-likelihood of each image."""
        return self.model(self.x)

    def draw(self) -> Tensor:
        """Samples, floats."""
        return self.model.sample(len(self.x))[0]


def competitor(
    name: str,
    *,
    steps: int,
    width: int,
    batch: int = 16,
    shape: tuple[int, int, int] = (3, 32, 32),
    levels: int = 3,
) -> Competitor:
    """Build one by name, its data-dependent parts set."""
    torch.manual_seed(0)
    x = pictures(shape, batch)
    made: Competitor
    if name in PEERS:
        made = Normflows(normflows_glow(shape, levels, steps, width), x, PEERS[name])
    else:
        sizes = {"shape": shape, "grey_levels": 256, "levels": levels}
        sizes |= {"steps": steps, "width": width}
        if name == IN_BACKWARD:
            made = InBackward(GlowConfig(**sizes, recompute="checkpoint"), x)
        else:
            made = Ours(GlowConfig(**sizes, **OURS[name]), x)
    made.initialise()
    return made
