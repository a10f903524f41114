"""Flows on learned bases, and elementary flows."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from lambent.core import Flow, Transform
from lambent.distributions import GaussianMixture, StudentT
from lambent.flows import (
    MAFConfig,
    PlanarConfig,
    RadialConfig,
    SylvesterConfig,
    maf,
    planar,
    radial,
    sylvester,
)
from lambent.nn import MADE, MLP
from lambent.testing import Case
from lambent.transforms import Affine, Autoregressive, Planar, PLUConv1x1, Radial, Sylvester

from ..networks import Dense


def jacobi(context: int | None = None) -> Autoregressive:
    net = MADE(4, 2, width=7, context_features=context, activation="tanh")
    return Autoregressive(net, Affine(), inverse="jacobi")


ELEMENTARY: dict[str, Callable[..., Transform]] = {
    "planar": partial(Planar, 4),
    "planar of one": partial(Planar, 1),
    "radial": partial(Radial, 4),
    "radial of one": partial(Radial, 1),
    "sylvester": partial(Sylvester, 4, 2),
    "sylvester of all": partial(Sylvester, 2, 2, reflections=3),
}


def size_of(name: str) -> int:
    return {"one": 1, "all": 2}.get(name.split()[-1], 4)


TRANSFORMS: dict[str, Case] = {
    "autoregressive jacobi": Case(build=jacobi, event_shape=(4,)),
    "autoregressive jacobi conditional": Case(
        build=lambda: jacobi(3), event_shape=(4,), context_shape=(3,)
    ),
}
"""Transforms."""

TRANSFORMS |= {
    name: Case(build=build, event_shape=(size_of(name),), spread=1.0)
    for name, build in ELEMENTARY.items()
}
TRANSFORMS |= {
    f"{name} conditional": Case(
        build=partial(ELEMENTARY[name], net=Dense(2, numbers)),
        event_shape=(4,),
        context_shape=(2,),
        spread=0.5,
    )
    for name, numbers in (("planar", 9), ("radial", 6), ("sylvester", 10))
}

FLOWS: dict[str, Case] = {
    "maf of random orders": Case(
        build=lambda: maf(
            MAFConfig(
                shape=(4,), width=8, transforms=2, mixing="shuffle", degrees="random", norm="none"
            )
        ),
        event_shape=(4,),
    ),
    "maf jacobi": Case(
        build=lambda: maf(MAFConfig(shape=(4,), width=8, transforms=2, inverse="jacobi")),
        event_shape=(4,),
    ),
    "student base": Case(
        build=lambda: Flow(PLUConv1x1(3), StudentT((3,), degrees=4.0)), event_shape=(3,)
    ),
    "mixture base": Case(
        build=lambda: Flow(PLUConv1x1(3), GaussianMixture((3,), 4)), event_shape=(3,)
    ),
    "mixture base of a context": Case(
        build=lambda: Flow(
            PLUConv1x1(3),
            GaussianMixture((3,), 2, net=MLP(2, 14, width=8)),
            context_encoder=Dense(2, 2),
        ),
        event_shape=(3,),
        context_shape=(2,),
    ),
}
"""Flows."""

BUILDERS = ((planar, PlanarConfig), (radial, RadialConfig), (sylvester, SylvesterConfig))
FLOWS |= {
    build.__name__: Case(
        build=partial(build, config(shape=(3,), transforms=3)), event_shape=(3,), spread=0.5
    )
    for build, config in BUILDERS
}
FLOWS |= {
    f"{build.__name__} given a vector": Case(
        build=partial(build, config(shape=(3,), transforms=2, context_features=2)),
        event_shape=(3,),
        context_shape=(2,),
    )
    for build, config in BUILDERS
}
