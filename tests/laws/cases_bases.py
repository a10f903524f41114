"""Flows on learned bases, and elementary flows."""

from __future__ import annotations

from lambent.core import Flow
from lambent.distributions import GaussianMixture, StudentT
from lambent.flows import MAFConfig, maf
from lambent.nn import MADE, MLP
from lambent.testing import Case
from lambent.transforms import Affine, Autoregressive, PLUConv1x1

from ..networks import Dense


def jacobi(context: int | None = None) -> Autoregressive:
    net = MADE(4, 2, width=7, context_features=context, activation="tanh")
    return Autoregressive(net, Affine(), inverse="jacobi")


TRANSFORMS: dict[str, Case] = {
    "autoregressive jacobi": Case(build=jacobi, event_shape=(4,)),
    "autoregressive jacobi conditional": Case(
        build=lambda: jacobi(3), event_shape=(4,), context_shape=(3,)
    ),
}
"""Transforms."""

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
