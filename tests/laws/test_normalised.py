"""The law of normalisation: a flow of two numbers is a density, and draws from that density."""

from __future__ import annotations

import pytest

from lambent.core import Compose, Flow, Transform
from lambent.distributions import StandardNormal
from lambent.testing import check_normalised, perturbed
from lambent.transforms import (
    ActNorm,
    Affine,
    Coupling,
    Elementwise,
    InvertibleConv1x1,
    Permute,
    PLUConv1x1,
    SigmoidAffine,
    Standardise,
)

from ..networks import Dense


@pytest.mark.parametrize("elementwise", [Affine(1.0), SigmoidAffine(), Standardise(1.0)])
@pytest.mark.parametrize("mix", [PLUConv1x1, InvertibleConv1x1, Permute.reverse])
def test_flow_of_two(elementwise: Elementwise, mix: type[Transform]) -> None:
    def step() -> Compose:
        return Compose(ActNorm(2), mix(2), Coupling(Dense(1, 2), elementwise))

    flow = Flow(Compose(step(), step()), StandardNormal((2,)))
    check_normalised(perturbed(flow, 0.2, seed=3), -30.0, 30.0, points=1200)
