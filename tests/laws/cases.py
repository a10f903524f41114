"""Every public transform and family, in the smallest shapes that bite: one line each."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Literal

import torch
from torch import Tensor

from lambent.core import Compose, Flow, Transform
from lambent.distributions import StandardLogistic, StandardNormal
from lambent.flows import (
    GlowConfig,
    IAFConfig,
    MADEConfig,
    MAFConfig,
    NICEConfig,
    NSFConfig,
    RealNVPConfig,
    glow,
    iaf,
    made,
    maf,
    nice,
    nsf,
    realnvp,
)
from lambent.nn import (
    MADE,
    MLP,
    Chequered,
    CouplingNet,
    ResidualNet,
    ShiftAndScale,
    SplitPrior,
    TopPrior,
)
from lambent.testing import Case, labels, pixels, uniform
from lambent.transforms import (
    ActNorm,
    Additive,
    Affine,
    Autoregressive,
    BatchNorm,
    Checkerboard,
    Complement,
    Coupling,
    Dequantise,
    EveryOther,
    Flatten,
    GlowLevel,
    GlowStep,
    Halves,
    InvertibleConv1x1,
    Logit,
    MultiScale,
    Permute,
    PLUConv1x1,
    Quantise,
    RationalQuadratic,
    Rescale,
    Scale,
    SigmoidAffine,
    Squeeze,
    Standardise,
    Whiten,
    WhitenGiven,
    Whole,
)
from lambent.types import Size

from ..networks import Dense, Planes
from . import (
    cases_bases,
    cases_conditional,
    cases_context,
    cases_dequantise,
    cases_domains,
    cases_joint,
    cases_monotone,
    cases_splines,
    cases_surjections,
    cases_tables,
)


def some_levels(shape: Size) -> Tensor:
    return torch.randint(0, 100, shape, dtype=torch.uint8)


def vector_steps(context: int = 0) -> Compose:
    return Compose(
        ActNorm(3),
        mix=PLUConv1x1(3),
        coupling=Coupling(Dense(1, 4, context=context), Affine()),
    )


def shared_steps() -> Compose:
    reverse = Permute.reverse(3)
    coupling = Coupling(Dense(1, 4), Affine())
    return Compose(coupling, reverse, coupling, reverse, ActNorm(3))


def pyramid() -> MultiScale:
    return MultiScale(
        Compose(Squeeze(), Coupling(Planes(2, 4, context=1), Affine())),
        Compose(Squeeze(), Coupling(Planes(4, 8, context=2), Affine())),
        shape=(1, 4, 4),
    )


def chequered_levels() -> MultiScale:
    return MultiScale(
        Compose(Squeeze(), InvertibleConv1x1(8), Coupling(Planes(4, 8), Affine())),
        Compose(Coupling(Planes(2, 4), Affine()), PLUConv1x1(4)),
        ActNorm(2),
        shape=(2, 2, 4),
    )


def glow_level(
    mix: Callable[[int], Any] = PLUConv1x1, recompute: Any = "never", **settings: Any
) -> GlowLevel:
    """A level of two steps over 1x4x4 images, with a prior."""
    nets = "checkpoint" if recompute == "checkpoint" else "never"
    steps = [
        GlowStep(
            ActNorm(4),
            mix(4),
            Coupling(CouplingNet(2, 4, width=4, recompute=nets, **settings), Affine()),
        )
        for _ in range(3)
    ]
    chain = "inverse" if recompute == "inverse" else "never"
    prior = Coupling(SplitPrior(2, 2), Standardise(bound=7.0))
    return GlowLevel(Squeeze(), steps, prior, recompute=chain)


def normalised(channels: int, *places: int) -> BatchNorm:
    """A batch norm that has seen data."""
    layer = BatchNorm(channels)
    layer.initialize_from(3 + 2 * torch.randn(5, channels, *places))
    return layer


TRANSFORMS: dict[str, Case] = {
    "actnorm image": Case(build=lambda: ActNorm(4), event_shape=(4, 2, 3)),
    "actnorm vector": Case(build=lambda: ActNorm(3, log_scale_factor=1.0), event_shape=(3,)),
    "conv 1x1 image": Case(build=lambda: InvertibleConv1x1(3), event_shape=(3, 2, 3)),
    "conv 1x1 vector": Case(build=lambda: InvertibleConv1x1(4), event_shape=(4,)),
    "plu image": Case(build=lambda: PLUConv1x1(3), event_shape=(3, 2, 3)),
    "plu vector": Case(build=lambda: PLUConv1x1(4), event_shape=(4,)),
    "plu one channel": Case(
        build=lambda: PLUConv1x1(1), event_shape=(1, 2, 2), no_gradient=("lower", "upper")
    ),
    "permute reverse": Case(build=lambda: Permute.reverse(3), event_shape=(3, 2, 2)),
    "permute shuffle": Case(build=lambda: Permute.shuffle(7), event_shape=(7,)),
    "squeeze": Case(build=Squeeze, event_shape=(2, 4, 6)),
    "squeeze 3": Case(build=lambda: Squeeze(3), event_shape=(2, 3, 6)),
    "rescale": Case(build=lambda: Rescale(1 / 256, shift=-128.0), event_shape=(2, 3, 1)),
    "rescale negative": Case(build=lambda: Rescale(-3.0, shift=0.5), event_shape=(4,)),
    "quantise 17": Case(build=lambda: Quantise(17), event_shape=(1, 4, 4), domain=pixels()),
    "quantise 32": Case(build=lambda: Quantise(32), event_shape=(3, 2, 2), domain=pixels()),
    "quantise 1": Case(build=lambda: Quantise(1), event_shape=(5,), domain=pixels()),
    "dequantise": Case(build=Dequantise, event_shape=(3, 2, 2), domain=pixels()),
    "dequantise 17": Case(build=lambda: Dequantise(17), event_shape=(4,), domain=pixels(17)),
    "dequantise 100": Case(build=lambda: Dequantise(100), event_shape=(4,), domain=some_levels),
    "coupling additive": Case(
        build=lambda: Coupling(CouplingNet(1, 2, width=4), Additive()), event_shape=(3, 2, 3)
    ),
    "coupling affine": Case(
        build=lambda: Coupling(CouplingNet(2, 4, width=4), Affine()), event_shape=(4, 2, 2)
    ),
    "coupling affine unbounded": Case(
        build=lambda: Coupling(Dense(2, 6), Affine(bound=None)), event_shape=(5,)
    ),
    "coupling sigmoid": Case(
        build=lambda: Coupling(CouplingNet(2, 4, width=4, norm="bias"), SigmoidAffine()),
        event_shape=(4, 2, 2),
    ),
    "coupling without border": Case(
        build=lambda: Coupling(CouplingNet(1, 2, width=4, border=False), Affine()),
        event_shape=(2, 3, 2),
    ),
    "coupling vector": Case(build=lambda: Coupling(Dense(1, 4), Affine()), event_shape=(3,)),
    "coupling conditional": Case(
        build=lambda: Coupling(CouplingNet(2, 4, width=4, context_features=3), Affine()),
        event_shape=(4, 2, 2),
        context_shape=(3,),
    ),
    "coupling every other": Case(
        build=lambda: Coupling(MLP(3, 4, width=8), Affine(), EveryOther()), event_shape=(5,)
    ),
    "coupling every other complement": Case(
        build=lambda: Coupling(
            MLP(2, 3, width=8, context_features=2), Additive(), Complement(EveryOther())
        ),
        event_shape=(5,),
        context_shape=(2,),
    ),
    "coupling of two networks": Case(
        build=lambda: Coupling(
            ShiftAndScale(MLP(2, 1, width=8), MLP(2, 1, width=8, activation="tanh")),
            Affine(),
            Complement(Halves()),
        ),
        event_shape=(3,),
    ),
    "coupling checkerboard": Case(
        build=lambda: Coupling(
            Chequered(ResidualNet(2, 4, width=4, blocks=1)), Affine(), Checkerboard()
        ),
        event_shape=(2, 3, 4),
    ),
    "coupling checkerboard complement": Case(
        build=lambda: Coupling(
            Chequered(CouplingNet(1, 1, width=4), odd=True), Additive(), Complement(Checkerboard())
        ),
        event_shape=(1, 4, 4),
    ),
    "scale": Case(build=lambda: Scale((2, 3, 1)), event_shape=(2, 3, 1)),
    "flatten": Case(build=lambda: Flatten((2, 3, 1)), event_shape=(2, 3, 1)),
    "logit": Case(build=Logit, event_shape=(2, 2, 3), domain=uniform),
    "logit of alpha 0": Case(build=lambda: Logit(0.0), event_shape=(4,), domain=uniform),
    "batch norm image": Case(build=lambda: normalised(3, 2, 4), event_shape=(3, 2, 4)),
    "batch norm vector": Case(build=lambda: normalised(4), event_shape=(4,)),
    "split prior": Case(
        build=lambda: Coupling(SplitPrior(2, 3), Standardise(bound=7.0)), event_shape=(5, 2, 2)
    ),
    "split prior conditional": Case(
        build=lambda: Coupling(SplitPrior(2, 2, context_features=3), Standardise()),
        event_shape=(4, 2, 2),
        context_shape=(3,),
    ),
    "top prior": Case(
        build=lambda: Coupling(TopPrior(2), Standardise(), Whole()), event_shape=(2, 3, 2)
    ),
    "top prior without border": Case(
        build=lambda: Coupling(TopPrior(2, border=False), Standardise(), Whole()),
        event_shape=(2, 3, 2),
        no_gradient=("net.conv.conv.weight",),  # it meets nothing but zeros
    ),
    "top prior of a label": Case(
        build=lambda: Coupling(
            TopPrior(2, learned=False, context_features=3), Standardise(bound=7.0), Whole()
        ),
        event_shape=(2, 2, 2),
        context_shape=(3,),
    ),
    "compose": Case(build=vector_steps, event_shape=(3,)),
    "compose conditional": Case(
        build=lambda: vector_steps(context=2), event_shape=(3,), context_shape=(2,)
    ),
    "compose of shared steps": Case(build=shared_steps, event_shape=(3,)),
    "compose of nothing": Case(build=Compose, event_shape=(2, 2)),
    "compose nested": Case(
        build=lambda: Compose(vector_steps(), Compose(vector_steps(), last=ActNorm(3))),
        event_shape=(3,),
    ),
    "compose with an inverse": Case(
        build=lambda: Compose(vector_steps().inv, vector_steps()), event_shape=(3,)
    ),
    "compose from pixels": Case(
        build=lambda: Compose(
            Quantise(32), Dequantise(32), Rescale(1 / 32, shift=-16.0), Squeeze(), ActNorm(4)
        ),
        event_shape=(1, 2, 4),
        domain=pixels(),
    ),
    "compose that rebuilds": Case(
        build=lambda: Compose(*vector_steps(), recompute="inverse"), event_shape=(3,)
    ),
    "compose with anchors": Case(
        build=lambda: Compose(*vector_steps(context=2), recompute="inverse", every=2),
        event_shape=(3,),
        context_shape=(2,),
    ),
    "glow level": Case(build=glow_level, event_shape=(1, 4, 4)),
    "glow level of checkpoints": Case(
        build=lambda: glow_level(recompute="checkpoint"), event_shape=(1, 4, 4)
    ),
    "glow level that rebuilds": Case(
        build=lambda: glow_level(recompute="inverse"), event_shape=(1, 4, 4)
    ),
    "glow level of shuffles": Case(
        build=lambda: glow_level(Permute.shuffle), event_shape=(1, 4, 4)
    ),
    "glow level conditional": Case(
        build=lambda: glow_level(context_features=3), event_shape=(1, 4, 4), context_shape=(3,)
    ),
    "inverse": Case(
        build=lambda: Compose(Squeeze(), PLUConv1x1(4), ActNorm(4)).inv, event_shape=(4, 1, 2)
    ),
    "inverse conditional": Case(
        build=lambda: vector_steps(context=2).inv, event_shape=(3,), context_shape=(2,)
    ),
    "multi-scale": Case(build=chequered_levels, event_shape=(2, 2, 4)),
    "multi-scale of one level": Case(
        build=lambda: MultiScale(Compose(Squeeze(), ActNorm(4)), shape=(1, 2, 4)),
        event_shape=(1, 2, 4),
    ),
    "multi-scale with a pyramid": Case(
        build=pyramid, event_shape=(1, 4, 4), context_shape=((1, 2, 2), (2, 1, 1))
    ),
}
"""Every public transform."""


def small_glow(**settings: Any) -> GlowConfig:
    """A Glow of two levels and two steps over 1x4x4 images at 256 grey levels."""
    defaults: dict[str, Any] = {
        "shape": (1, 4, 4),
        "grey_levels": 256,
        "levels": 2,
        "steps": 2,
        "width": 4,
    }
    return GlowConfig(**defaults | settings)


GLOWS: dict[str, GlowConfig] = {
    "affine": small_glow(),
    "released": small_glow(scale="released"),
    "additive": small_glow(coupling="additive"),
    "conv": small_glow(permutation="conv"),
    "shuffle": small_glow(permutation="shuffle"),
    "reverse": small_glow(permutation="reverse"),
    "class at the top": small_glow(conditioning="top", classes=3),
    "class at the top alone": small_glow(conditioning="top", classes=3, learn_top=False),
    "class everywhere": small_glow(conditioning="strong", classes=3, class_features=4),
    "standard top": small_glow(learn_top=False),
    "plain networks": small_glow(norm="bias", border=False, width=8),
    "one level": small_glow(levels=1, steps=3),
    "three levels": small_glow(shape=(1, 8, 8), levels=3, steps=1),
    "checkpoint": small_glow(recompute="checkpoint"),
    "inverse": small_glow(recompute="inverse"),
    "inverse with anchors": small_glow(
        recompute="inverse", anchor_every=2, conditioning="strong", classes=3, class_features=4
    ),
    "rectangular": small_glow(shape=(1, 4, 8)),
    "coarse first squeeze": small_glow(shape=(1, 8, 8), first_squeeze=4, steps=1),
    "five channels": small_glow(shape=(5, 4, 4), steps=1),
    "five bits": small_glow(grey_levels=32),
    "seventeen grey levels": small_glow(grey_levels=17),
}
"""Every form of Glow."""


def scales_of(config: GlowConfig) -> Callable[[], Transform]:
    """The continuous part of a Glow, a bijection."""

    def build() -> Transform:
        transform = glow(config).transform
        assert isinstance(transform, Compose)
        return transform["scales"]

    return build


def _scales_case(config: GlowConfig) -> Case:
    assert config.shape is not None
    features = {"none": None, "top": config.classes, "strong": config.class_features}
    size = features[config.conditioning]
    return Case(
        build=scales_of(config),
        event_shape=config.shape,
        context_shape=None if size is None else (size,),
        no_gradient=() if config.border else ("levels.1.prior.net.conv.conv.weight",),
        float32_tolerance=1e-3,
    )


def _glow_case(config: GlowConfig) -> Case:
    assert config.shape is not None
    conditional = config.conditioning != "none"
    return Case(
        build=lambda: glow(config),
        event_shape=config.shape,
        context_shape=() if conditional else None,
        context_domain=labels(config.classes or 1),
        domain=pixels(),
        no_gradient=()
        if config.border
        else ("transform.scales.levels.1.prior.net.conv.conv.weight",),
    )


def small_realnvp(**settings: Any) -> RealNVPConfig:
    """A Real NVP of two levels over 1x4x4 images at 256 grey levels."""
    defaults: dict[str, Any] = {"shape": (1, 4, 4), "grey_levels": 256, "width": 4, "blocks": 1}
    return RealNVPConfig(**defaults | settings)


REALNVPS: dict[str, RealNVPConfig] = {
    "images": small_realnvp(),
    "three channels": small_realnvp(shape=(3, 2, 4), norm="actnorm", grey_levels=32),
    "glow's networks": small_realnvp(network="glow", norm="none"),
    "one level": small_realnvp(levels=1, grey_levels=17),
    "real planes": small_realnvp(grey_levels=None),
    "vectors": RealNVPConfig(shape=(3,), couplings=3, width=8),
    "vectors of one network": RealNVPConfig(
        shape=(5,), couplings=2, width=8, networks="one", norm="actnorm"
    ),
}
"""Every form of Real NVP."""


NICES: dict[str, NICEConfig] = {
    "images": NICEConfig(shape=(1, 3, 3), grey_levels=256, width=8, layers=1),
    "seventeen grey levels": NICEConfig(shape=(3, 2, 2), grey_levels=17, width=8, layers=1),
    "vectors": NICEConfig(shape=(5,), width=8, layers=2),
    "normal prior": NICEConfig(shape=(2,), width=8, layers=1, couplings=3, prior="normal"),
}
"""Every form of NICE."""


MAFS: dict[str, MAFConfig] = {
    "actnorm": MAFConfig(shape=(4,), width=8, transforms=2),
    "batch norm": MAFConfig(shape=(3,), width=8, transforms=2, norm="batch", activation="tanh"),
    "one layer": MAFConfig(shape=(2,), width=4, layers=1, transforms=2, norm="none"),
}
"""Every form of MAF; those of one layer and turned round are of the same parts."""


def autoregressive(
    inverse: Literal["cached", "dense"] = "cached", context: int | None = None
) -> Autoregressive:
    net = MADE(4, 2, width=7, context_features=context, activation="tanh")
    return Autoregressive(net, Affine(), inverse=inverse)


def autoregressive_splines() -> Autoregressive:
    curve = RationalQuadratic(bins=3, form="released")
    return Autoregressive(MADE(4, curve.num_params, width=7), curve)


def _family_case(
    build: Callable[[], Flow], config: NICEConfig | RealNVPConfig | MADEConfig | NSFConfig
) -> Case:
    assert config.shape is not None
    draws = {} if getattr(config, "grey_levels", None) is None else {"domain": pixels()}
    return Case(build=build, event_shape=config.shape, float32_tolerance=1e-3, **draws)  # type: ignore[arg-type]


def scales_of_realnvp() -> Transform:
    """The continuous part of a Real NVP of images, a bijection."""
    transform = realnvp(small_realnvp()).transform
    assert isinstance(transform, Compose)
    return transform["scales"]


TRANSFORMS |= {
    "realnvp images": Case(build=scales_of_realnvp, event_shape=(1, 4, 4), float32_tolerance=1e-3),
    "realnvp vectors": Case(build=lambda: realnvp(REALNVPS["vectors"]).transform, event_shape=(3,)),
    "nice vectors": Case(build=lambda: nice(NICES["vectors"]).transform, event_shape=(5,)),
}
TRANSFORMS |= {
    "whiten": Case(build=lambda: Whiten(3), event_shape=(3,)),
    "whiten given": Case(build=lambda: WhitenGiven(3, 2), event_shape=(3,), context_shape=(2,)),
    "autoregressive": Case(build=autoregressive, event_shape=(4,)),
    "autoregressive dense": Case(build=lambda: autoregressive("dense"), event_shape=(4,)),
    "autoregressive conditional": Case(
        build=lambda: autoregressive(context=3), event_shape=(4,), context_shape=(3,)
    ),
    "maf": Case(build=lambda: maf(MAFS["actnorm"]).transform, event_shape=(4,)),
    "coupling of splines": Case(
        build=lambda: Coupling(MLP(2, 10, width=8), RationalQuadratic(bins=2)), event_shape=(4,)
    ),
    "autoregressive splines": Case(build=autoregressive_splines, event_shape=(4,)),
    "nsf": Case(
        build=lambda: nsf(NSFConfig(shape=(3,), width=6, transforms=2, bins=3)).transform,
        event_shape=(3,),
    ),
    "iaf": Case(build=lambda: iaf(IAFConfig(shape=(3,), width=6)).transform, event_shape=(3,)),
}
TRANSFORMS |= cases_bases.TRANSFORMS
TRANSFORMS |= cases_splines.TRANSFORMS
TRANSFORMS |= {f"glow {name}": _scales_case(config) for name, config in GLOWS.items()}


FLOWS: dict[str, Case] = {
    "vector": Case(build=lambda: Flow(vector_steps(), StandardNormal((3,))), event_shape=(3,)),
    "logistic base": Case(
        build=lambda: Flow(vector_steps(), StandardLogistic((3,))), event_shape=(3,)
    ),
    "single transform": Case(
        build=lambda: Flow(PLUConv1x1(3), StandardNormal((3,))), event_shape=(3,)
    ),
    "conditional vector": Case(
        build=lambda: Flow(
            vector_steps(context=2),
            StandardNormal((3,)),
            context_encoder=Dense(4, 2),
        ),
        event_shape=(3,),
        context_shape=(4,),
    ),
    "shared steps": Case(
        build=lambda: Flow(shared_steps(), StandardNormal((3,))), event_shape=(3,)
    ),
    "flow on a flow": Case(
        build=lambda: Flow(vector_steps(), Flow(vector_steps(), StandardNormal((3,)))),
        event_shape=(3,),
    ),
    "pyramid": Case(
        build=lambda: Flow(pyramid(), StandardNormal((16,))),
        event_shape=(1, 4, 4),
        context_shape=((1, 2, 2), (2, 1, 1)),
    ),
}
"""Flows of every family."""

FLOWS |= {f"glow {name}": _glow_case(config) for name, config in GLOWS.items()}
FLOWS |= {
    f"maf {name}": _family_case(partial(maf, config), config) for name, config in MAFS.items()
}
FLOWS |= {
    f"{build.__name__}": _family_case(partial(build, config), config)
    for build, config in (
        (made, MADEConfig(shape=(3,), width=6)),
        (iaf, IAFConfig(shape=(3,), width=6, transforms=2)),
        (nsf, NSFConfig(shape=(3,), width=6, transforms=2, bins=3)),
    )
}
FLOWS |= {
    f"realnvp {name}": _family_case(partial(realnvp, config), config)
    for name, config in REALNVPS.items()
}
FLOWS |= {
    f"nice {name}": _family_case(partial(nice, config), config) for name, config in NICES.items()
}
for more in (
    cases_bases,
    cases_conditional,
    cases_context,
    cases_dequantise,
    cases_domains,
    cases_joint,
    cases_monotone,
    cases_splines,
    cases_surjections,
    cases_tables,
):
    TRANSFORMS |= getattr(more, "TRANSFORMS", {})
    FLOWS |= getattr(more, "FLOWS", {})
