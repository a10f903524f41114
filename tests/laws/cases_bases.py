"""Flows on learned bases, and elementary flows."""

from __future__ import annotations

from lambent.core import Flow
from lambent.distributions import GaussianMixture, StudentT
from lambent.nn import MLP
from lambent.testing import Case
from lambent.transforms import PLUConv1x1

from ..networks import Dense

FLOWS: dict[str, Case] = {
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
