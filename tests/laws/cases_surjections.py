"""Layers that lose something in one direction, in both directions, and flows with them."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from lambent.core import Compose, Distribution, Flow
from lambent.distributions import (
    Bernoulli,
    ConditionalNormal,
    HalfNormal,
    PlackettLuce,
    StandardNormal,
)
from lambent.flows import noise_flow
from lambent.nn import Together, VectorEncoder
from lambent.testing import Case, pixels
from lambent.testing.case import Draw
from lambent.transforms import (
    Abs,
    ActNorm,
    Affine,
    Argmax,
    Augment,
    BinaryArgmax,
    Coupling,
    Gaps,
    MaxPool,
    Slice,
    Softplus,
    Sort,
    StochasticPermutation,
    VariationalDequantise,
    Whole,
)
from lambent.types import Context, Size

from ..networks import Dense, Planes


def positive(shape: Size) -> Tensor:
    return torch.randn(shape).abs() + 0.1


def rising(shape: Size) -> Tensor:
    return positive(shape).cumsum(1) - 1


def grown(levels: int) -> Draw:
    """Numbers from 0 to the number of levels, not too near to an integer."""

    def draw(shape: Size) -> Tensor:
        return torch.randint(0, levels, shape) + 0.1 + 0.8 * torch.rand(shape)

    return draw


def dense_normal(features: int, kept: int, *, context: int = 0) -> Distribution:
    return ConditionalNormal((features,), Dense(kept, 2 * features, context=context))


def plane_normal(channels: int, kept: int, *, context: int = 0) -> Distribution:
    return ConditionalNormal((channels, 2, 2), Planes(kept, 2 * channels, context=context))


def signs(features: int, *, context: int = 0) -> Bernoulli:
    return Bernoulli((features,), Dense(features, features, context=context))


def orders(size: int, *, context: int = 0) -> PlackettLuce:
    return PlackettLuce(size, Dense(size, size, context=context))


class Both(Dense):
    """A network of what stays and two vectors of the caller's."""

    def __init__(self, kept: int, outputs: int, *context: int) -> None:
        super().__init__(kept, outputs, context=sum(context))

    def forward(self, a: Tensor, context: Context | None = None) -> Tensor:
        assert isinstance(context, tuple)
        return super().forward(a, torch.cat(context, 1))


class BothPlanes(nn.Module):
    """Planes of what stays and the caller's as they are."""

    def forward(self, context: Context) -> Tensor:
        return torch.cat(tuple(context), 1)


def flow_noise(features: int, context: int) -> Flow:
    net = Dense(0, 2 * features, context=context)
    return Flow(Coupling(net, Affine(), Whole()), StandardNormal((features,)))


def pool() -> MaxPool:
    """A pool whose differences a flow finds, closed by a softplus."""
    return MaxPool(
        Flow(
            Compose(Softplus().inv, Coupling(Planes(0, 12, context=2), Affine(), Whole())),
            StandardNormal((6, 1, 2)),
        )
    )


TRANSFORMS: dict[str, Case] = {
    "slice": Case(build=lambda: Slice(dense_normal(2, 3)), event_shape=(5,)),
    "slice of planes": Case(build=lambda: Slice(plane_normal(1, 2)), event_shape=(3, 2, 2)),
    "slice of a flow": Case(build=lambda: Slice(flow_noise(1, 2)), event_shape=(3,)),
    "slice of a standard normal": Case(build=lambda: Slice(StandardNormal((2,))), event_shape=(3,)),
    "augment": Case(build=lambda: Augment(dense_normal(2, 3)), event_shape=(3,)),
    "augment of planes": Case(build=lambda: Augment(plane_normal(1, 2)), event_shape=(2, 2, 2)),
    "softplus": Case(build=Softplus, event_shape=(2, 2, 3), codomain=positive),
    "gaps": Case(build=Gaps, event_shape=(4,), domain=rising),
    "abs": Case(build=Abs, event_shape=(2, 2, 1), codomain=positive),
    "abs of learned signs": Case(build=lambda: Abs(signs(3)), event_shape=(3,), codomain=positive),
    "abs of planes": Case(
        build=lambda: Abs(Bernoulli((2, 2, 1), Planes(2, 2))),
        event_shape=(2, 2, 1),
        codomain=positive,
    ),
    "abs of unequal signs": Case(
        build=lambda: Abs(Bernoulli((3,))), event_shape=(3,), codomain=positive
    ),
    "abs backwards": Case(build=lambda: Abs(signs(3)).inv, event_shape=(3,), domain=positive),
    "sort": Case(build=Sort, event_shape=(4,), codomain=rising),
    "sort of learned orders": Case(
        build=lambda: Sort(orders(4)), event_shape=(4,), codomain=rising
    ),
    "sort of unequal orders": Case(
        build=lambda: Sort(PlackettLuce(3)), event_shape=(3,), codomain=rising
    ),
    "sort backwards": Case(build=lambda: Sort().inv, event_shape=(4,), domain=rising),
    "stochastic permutation": Case(build=StochasticPermutation, event_shape=(4, 2)),
    "max pool": Case(build=lambda: MaxPool(HalfNormal((6, 1, 2))), event_shape=(2, 2, 4)),
    "max pool of a flow": Case(build=pool, event_shape=(2, 2, 4)),
    "argmax": Case(build=lambda: Argmax(3, dense_normal(6, 6)), event_shape=(2,), domain=pixels(3)),
    "argmax of a flow": Case(
        build=lambda: Argmax(4, flow_noise(4, 4)), event_shape=(1,), domain=pixels(4)
    ),
    "binary argmax": Case(
        build=lambda: BinaryArgmax(5, dense_normal(6, 6)), event_shape=(2,), domain=pixels(5)
    ),
    "binary argmax of planes": Case(
        build=lambda: BinaryArgmax(4, plane_normal(2, 2)), event_shape=(1, 2, 2), domain=pixels(4)
    ),
    "rounding": Case(
        build=lambda: VariationalDequantise(17, noise_flow((3,), couplings=2, width=4)).inv,
        event_shape=(3,),
        domain=grown(17),
        float32_tolerance=1e-3,
    ),
}
TRANSFORMS |= {
    "slice given a vector": Case(
        build=lambda: Slice(dense_normal(2, 3, context=2)), event_shape=(5,), context_shape=(2,)
    ),
    "slice given two vectors": Case(
        build=lambda: Slice(ConditionalNormal((2,), Both(3, 4, 2, 1))),
        event_shape=(5,),
        context_shape=((2,), (1,)),
    ),
    "slice of a flow given a vector": Case(
        build=lambda: Slice(
            Flow(
                Coupling(Dense(0, 2, context=4), Affine(), Whole()),
                StandardNormal((1,)),
                context_encoder=Together(VectorEncoder(2), VectorEncoder(2)),
            )
        ),
        event_shape=(3,),
        context_shape=(2,),
    ),
    "augment given planes": Case(
        build=lambda: Augment(plane_normal(1, 2, context=1)),
        event_shape=(2, 2, 2),
        context_shape=(1, 2, 2),
    ),
    "abs given a vector": Case(
        build=lambda: Abs(signs(3, context=2)),
        event_shape=(3,),
        context_shape=(2,),
        codomain=positive,
    ),
    "sort given a vector": Case(
        build=lambda: Sort(orders(4, context=2)),
        event_shape=(4,),
        context_shape=(2,),
        codomain=rising,
    ),
    "max pool given planes": Case(
        build=lambda: MaxPool(
            Flow(
                Compose(Softplus().inv, Coupling(Planes(0, 12, context=3), Affine(), Whole())),
                StandardNormal((6, 1, 2)),
                context_encoder=BothPlanes(),
            )
        ),
        event_shape=(2, 2, 4),
        context_shape=(1, 1, 2),
    ),
    "argmax given a vector": Case(
        build=lambda: Argmax(3, dense_normal(6, 6, context=2)),
        event_shape=(2,),
        context_shape=(2,),
        domain=pixels(3),
    ),
}
"""Those whose conditionals read the caller's context."""

FLOWS: dict[str, Case] = {
    "of absolute values": Case(
        build=lambda: Flow(
            Compose(Abs(signs(2)), Softplus().inv, Coupling(Dense(1, 2), Affine())),
            StandardNormal((2,)),
        ),
        event_shape=(2,),
    ),
    "of absolute values over a half-normal": Case(
        build=lambda: Flow(Abs(), HalfNormal((2,))), event_shape=(2,)
    ),
    "of sorted numbers": Case(
        build=lambda: Flow(Compose(Sort(), Gaps(), ActNorm(3)), StandardNormal((3,))),
        event_shape=(3,),
    ),
    "of sorted numbers of learned orders": Case(
        build=lambda: Flow(Compose(Sort(orders(3)), Gaps(), ActNorm(3)), StandardNormal((3,))),
        event_shape=(3,),
    ),
    "sliced given a vector": Case(
        build=lambda: Flow(
            Compose(
                Coupling(Dense(1, 4, context=2), Affine()), Slice(dense_normal(1, 2, context=2))
            ),
            StandardNormal((2,)),
            context_encoder=Dense(2, 2),
        ),
        event_shape=(3,),
        context_shape=(2,),
    ),
    "of absolute values given a vector": Case(
        build=lambda: Flow(
            Compose(Abs(signs(2, context=1)), Softplus().inv, ActNorm(2)),
            StandardNormal((2,)),
            context_encoder=Dense(1, 1),
        ),
        event_shape=(2,),
        context_shape=(1,),
    ),
    "augmented": Case(
        build=lambda: Flow(
            Compose(Augment(dense_normal(1, 2)), Coupling(Dense(1, 4), Affine())),
            StandardNormal((3,)),
        ),
        event_shape=(2,),
    ),
    "of categories": Case(
        build=lambda: Flow(
            Compose(Argmax(3, dense_normal(6, 6)), ActNorm(6)), StandardNormal((6,))
        ),
        event_shape=(2,),
        domain=pixels(3),
    ),
}
