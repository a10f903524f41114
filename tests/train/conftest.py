from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from lambent import Flow, GlowConfig, Images, TrainConfig, glow, seeded
from lambent.core.compose import Compose
from lambent.core.transform import Transform, zero_log_det

NewFlow = Callable[..., Flow]


class Trap(Transform):
    """A shift that goes wrong in one training step, in one of several ways.

    Args:
        step: Training steps before it, as the trainer counts; none goes wrong if not given.
        way: ``loss`` is not finite, or only its ``gradient``, or a ``weight`` that nothing reads.
    """

    def __init__(self, step: int | None, way: str) -> None:
        super().__init__()
        self.root = nn.Parameter(torch.ones(()))
        self.spare = nn.Parameter(torch.ones(3))
        self.step, self.way, self.calls = step, way, 0

    def forward(self, x: Tensor, context: object = None) -> tuple[Tensor, Tensor]:
        root = self.root
        if self.way == "loss" and self.step is not None and self.calls > self.step:
            root = root * torch.nan  # there still when the layer is looked for
        if self.training and torch.is_grad_enabled():
            if self.calls == self.step:
                if self.way == "loss":
                    root = root * torch.nan
                elif self.way == "gradient":
                    root = root * 0  # sqrt has a value there, and no derivative
                else:
                    self.spare.data[1] = torch.inf
            self.calls += 1
        return x + root.sqrt(), zero_log_det(x)

    def inverse(self, z: Tensor, context: object = None) -> tuple[Tensor, Tensor]:
        return z - self.root.sqrt(), zero_log_det(z)


@pytest.fixture(autouse=True)
def _on_the_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """The figures compared here are drawn by one generator: auto means the CPU."""
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    monkeypatch.setattr("torch.backends.mps.is_available", lambda: False)


def draw(n: int, seed: int = 0) -> Images:
    """Dark (0) and bright (1) images of 1 x 4 x 4 at 4 grey levels, whose neighbours agree."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.arange(n) % 2
    rows = torch.randn(n, 1, 4, 1, generator=generator)
    noise = 0.2 * torch.randn(n, 1, 4, 4, generator=generator)
    levels = (1.5 + (labels - 0.5).reshape(n, 1, 1, 1) + 0.5 * rows + noise).round().clamp(0, 3)
    return Images((64 * levels).to(torch.uint8), labels, grey_levels=4, name="rows")


@pytest.fixture(scope="session")
def images() -> Images:
    return draw(400)


@pytest.fixture(scope="session")
def held_out() -> Images:
    return draw(40, seed=1)


@pytest.fixture
def new_flow() -> NewFlow:
    """A small Glow, always the same for the same settings."""

    def build(**settings: Any) -> Flow:
        sizes = {"shape": (1, 4, 4), "grey_levels": 4, "levels": 1, "steps": 1, "width": 8}
        with seeded(0):
            return glow(GlowConfig(**{**sizes, **settings}))

    return build


@pytest.fixture
def trapped(new_flow: NewFlow) -> NewFlow:
    """A small Glow with a trap behind it; called ``trap``."""

    def build(step: int | None = None, way: str = "loss") -> Flow:
        flow = new_flow()
        return Flow(Compose(glow=flow.transform, trap=Trap(step, way)), flow.base)

    return build


@pytest.fixture
def quick() -> Callable[..., TrainConfig]:
    """Settings of a run of 20 steps."""

    def config(**settings: Any) -> TrainConfig:
        short = {"max_steps": 20, "validate_every": 10, "batch_size": 16, "warmup_steps": 0}
        return TrainConfig(**{**short, **settings})

    return config
