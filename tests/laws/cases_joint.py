"""Flows over data and condition together, and their layers."""

from __future__ import annotations

from functools import partial

from lambent.flows import JointConfig, joint
from lambent.testing import Case, labels, pixels
from lambent.transforms import Affine, Anneal, Append, Chosen, Coupling, Haar

from ..networks import Dense

TRANSFORMS: dict[str, Case] = {
    "append": Case(build=partial(Append, 2), event_shape=(3,), context_shape=(2,)),
    "append planes": Case(build=partial(Append, 1), event_shape=(2, 2, 3), context_shape=(1, 2, 3)),
    "haar": Case(build=Haar, event_shape=(2, 4, 6)),
    "anneal": Case(build=Anneal, event_shape=(3,)),
    "coupling of chosen channels": Case(
        build=lambda: Coupling(Dense(2, 4), Affine(), Chosen((0, 2))), event_shape=(4,)
    ),
}

FLOWS: dict[str, Case] = {
    "joint": Case(
        build=partial(joint, JointConfig(shape=(2,), context_features=1, couplings=6, width=6)),
        event_shape=(2,),
        context_shape=(1,),
        float32_tolerance=1e-3,
    ),
    "joint of labelled images": Case(
        build=partial(
            joint,
            JointConfig(
                shape=(1, 4, 4),
                grey_levels=16,
                conditioning="label",
                classes=3,
                couplings=10,
                width=4,
            ),
        ),
        event_shape=(1, 4, 4),
        domain=pixels(),
        context_shape=(),
        context_domain=labels(3),
        float32_tolerance=1e-3,
    ),
    "joint in blocks": Case(
        build=partial(
            joint,
            JointConfig(shape=(1, 4, 4), context_shape=(1, 4, 4), couplings=10, width=4, haar=True),
        ),
        event_shape=(1, 4, 4),
        context_shape=(1, 4, 4),
        float32_tolerance=1e-3,
    ),
    "joint given images": Case(
        build=partial(
            joint, JointConfig(shape=(1, 2, 4), context_shape=(2, 2, 4), couplings=4, width=4)
        ),
        event_shape=(1, 2, 4),
        context_shape=(2, 2, 4),
        float32_tolerance=1e-3,
    ),
}
