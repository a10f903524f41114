"""The law of normalisation: a flow of two numbers is a density, and draws from that density."""

from __future__ import annotations

import dataclasses

import pytest

import lambent.flows  # noqa: F401 - registers the families
from lambent.core import Compose, Flow, Transform
from lambent.core.registry import build, families, family
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


@pytest.mark.parametrize("name", sorted(set(families()) - {"glow", "joint"}))
def test_family_of_two(name: str) -> None:
    narrow = {"width": 8, "transforms": 2, "couplings": 3}
    fields = {field.name for field in dataclasses.fields(family(name).config_type)}
    settings = {key: value for key, value in narrow.items() if key in fields}
    flow = build(name, {"shape": [2], **settings})
    check_normalised(perturbed(flow, 0.1, seed=4), -20.0, 20.0, points=800, draws=5000)
