"""What is conditional on images."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from lambent.core import Compose, Transform
from lambent.flows import GlowConfig, glow
from lambent.nn import Beside, CouplingNet, Pooled, SplitPrior, ZeroConv2d
from lambent.testing import Case, pixels
from lambent.transforms import (
    Affine,
    ConditionalConv1x1,
    Coupling,
    PLUConv1x1,
    Standardise,
    Whole,
)
from lambent.types import Size


def image_glow(**settings: Any) -> GlowConfig:
    """A Glow of two levels over 1x4x4 images, conditional on images of half the size."""
    defaults: dict[str, Any] = {
        "shape": (1, 4, 4),
        "grey_levels": 256,
        "levels": 2,
        "steps": 1,
        "width": 8,
        "conditioning": "image",
        "context_shape": (1, 2, 2),
        "context_features": 3,
        "context_blocks": 1,
    }
    return GlowConfig(**defaults | settings)


IMAGE_GLOWS: dict[str, GlowConfig] = {
    "smaller": image_glow(),
    "larger": image_glow(context_shape=(2, 8, 8), context_blocks=0, permutation="conv"),
    "mixes": image_glow(context_shape=(1, 4, 4), conditional_mix=True, coupling="additive"),
    "couplings alone": image_glow(conditional_norm=False, norm="bias", border=False),
    "inverse": image_glow(recompute="inverse", steps=2, conditional_mix=True),
    "checkpoint": image_glow(recompute="checkpoint"),
    "label too": image_glow(conditioning="both", classes=3),
}
"""Forms of Glow conditional on images."""


def planes(shape: Size) -> Tensor:
    """Labels for rows of context without a shape, else planes."""
    return torch.arange(shape[0]) % 3 if len(shape) == 1 else torch.randn(shape)


def injector() -> Transform:
    return Coupling(Beside(ZeroConv2d(3, 4), 3), Affine(), Whole())


def levels(config: GlowConfig) -> Transform:
    transform = glow(config).transform
    assert isinstance(transform, Compose)
    return transform["scales"]


TRANSFORMS: dict[str, Case] = {
    "conditional 1x1": Case(
        build=lambda: ConditionalConv1x1(PLUConv1x1(3), Pooled(2, 9)),
        event_shape=(3, 2, 2),
        context_shape=(2, 2, 2),
    ),
    "injector": Case(build=injector, event_shape=(2, 2, 3), context_shape=(3, 2, 3)),
    "coupling beside planes": Case(
        build=lambda: Coupling(Beside(CouplingNet(5, 4, width=4), 3), Affine()),
        event_shape=(4, 2, 2),
        context_shape=(3, 2, 2),
    ),
    "split prior beside planes": Case(
        build=lambda: Coupling(Beside(SplitPrior(5, 2), 3), Standardise()),
        event_shape=(4, 2, 2),
        context_shape=(3, 2, 2),
    ),
}
TRANSFORMS |= {
    f"glow of images, {name}": Case(
        build=lambda config=config: levels(config),  # type: ignore[misc]
        event_shape=(1, 4, 4),
        context_shape=((3, 2, 2), (3, 1, 1)),
        float32_tolerance=1e-3,
    )
    for name, config in IMAGE_GLOWS.items()
}
"""Layers, and the scales of every form, which read feature planes."""

FLOWS: dict[str, Case] = {
    f"glow of images, {name}": Case(
        build=lambda config=config: glow(config),  # type: ignore[misc]
        event_shape=(1, 4, 4),
        context_shape=config.context_shape
        if config.conditioning == "image"
        else ((), config.context_shape),  # type: ignore[arg-type]
        context_domain=planes,
        domain=pixels(),
    )
    for name, config in IMAGE_GLOWS.items()
}
"""Every form, which reads images."""
