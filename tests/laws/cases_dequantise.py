"""Noise that a flow of its own has learned: the layer, and families of images with it."""

from __future__ import annotations

from functools import partial
from typing import Any

from lambent.flows import (
    FlowPPConfig,
    GlowConfig,
    RealNVPConfig,
    flowpp,
    glow,
    noise_flow,
    realnvp,
)
from lambent.testing import Case, labels, pixels
from lambent.transforms import VariationalDequantise

LEARNED: dict[str, Any] = {
    "dequantisation": "variational",
    "noise_couplings": 2,
    "noise_width": 4,
}

TRANSFORMS: dict[str, Case] = {
    f"variational noise of {name}": Case(
        build=partial(
            lambda shape: VariationalDequantise(17, noise_flow(shape, couplings=2, width=4)), shape
        ),
        event_shape=shape,
        domain=pixels(17),
        float32_tolerance=1e-3,
    )
    for name, shape in {"images": (1, 2, 4), "vectors": (3,), "one number": (1,)}.items()
}

TRANSFORMS |= {
    f"variational noise of {name}, given {given}": Case(
        build=partial(
            lambda shape, context: VariationalDequantise(
                17, noise_flow(shape, couplings=2, width=4, context=context)
            ),
            shape,
            context,
        ),
        event_shape=shape,
        context_shape=context,
        domain=pixels(17),
        float32_tolerance=1e-3,
    )
    for name, given, shape, context in (
        ("images", "a vector", (1, 2, 4), (3,)),
        ("images", "planes", (1, 4, 4), (3, 1, 1)),
        ("vectors", "a vector", (3,), (2,)),
    )
}

FLOWS: dict[str, Case] = {
    "glow of variational noise": Case(
        build=partial(
            glow,
            GlowConfig(shape=(1, 4, 4), grey_levels=256, levels=1, steps=1, width=4, **LEARNED),
        ),
        event_shape=(1, 4, 4),
        domain=pixels(),
        float32_tolerance=1e-2,
    ),
    "glow of variational noise, given a label": Case(
        build=partial(
            glow,
            GlowConfig(
                shape=(1, 4, 4),
                grey_levels=256,
                levels=1,
                steps=1,
                width=4,
                conditioning="strong",
                classes=3,
                class_features=4,
                **LEARNED | {"noise_width": 8},
            ),
        ),
        event_shape=(1, 4, 4),
        context_shape=(),
        context_domain=labels(3),
        domain=pixels(),
        float32_tolerance=1e-2,
    ),
    "glow of variational noise, given an image": Case(
        build=partial(
            glow,
            GlowConfig(
                shape=(1, 8, 8),
                grey_levels=256,
                levels=2,
                first_squeeze=4,
                steps=1,
                width=4,
                conditioning="image",
                context_shape=(1, 4, 4),
                context_features=3,
                context_blocks=0,
                **LEARNED,
            ),
        ),
        event_shape=(1, 8, 8),
        context_shape=(1, 4, 4),
        domain=pixels(),
        float32_tolerance=1e-2,
    ),
    "realnvp of variational noise": Case(
        build=partial(
            realnvp,
            RealNVPConfig(shape=(1, 4, 4), grey_levels=256, width=4, blocks=1, **LEARNED),
        ),
        event_shape=(1, 4, 4),
        domain=pixels(),
        float32_tolerance=1e-2,
    ),
    "realnvp of variational noise, given a vector": Case(
        build=partial(
            realnvp,
            RealNVPConfig(
                shape=(1, 4, 4),
                grey_levels=256,
                width=4,
                blocks=1,
                context_features=2,
                **LEARNED,
            ),
        ),
        event_shape=(1, 4, 4),
        context_shape=(2,),
        domain=pixels(),
        float32_tolerance=1e-2,
    ),
    "flowpp of variational noise": Case(
        build=partial(
            flowpp,
            FlowPPConfig(
                shape=(1, 2, 4),
                grey_levels=256,
                width=4,
                blocks=1,
                components=2,
                first=1,
                channelwise=0,
                last=1,
                **LEARNED,
            ),
        ),
        event_shape=(1, 2, 4),
        domain=pixels(),
        float32_tolerance=1e-2,
    ),
}
