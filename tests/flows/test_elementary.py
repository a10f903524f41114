"""Planar, radial and Sylvester flows."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from sklearn.datasets import make_moons

from lambent import (
    Flow,
    PlanarConfig,
    RadialConfig,
    SylvesterConfig,
    initialize,
    planar,
    radial,
    seeded,
    sylvester,
)
from lambent.testing import check_normalised, perturbed
from lambent.transforms import ActNorm, BatchNorm, Planar, Sylvester

BUILDERS = [(planar, PlanarConfig), (radial, RadialConfig), (sylvester, SylvesterConfig)]


@pytest.mark.slow
@pytest.mark.parametrize(("build", "config"), BUILDERS)
def test_it_learns_two_moons_better_than_a_normal(
    build: Callable[..., Flow], config: Callable[..., object]
) -> None:
    train, held_out = (
        torch.tensor(make_moons(1000, noise=0.08, random_state=seed)[0]).float() for seed in (0, 1)
    )
    normal = torch.distributions.MultivariateNormal(train.mean(0), train.T.cov())
    with seeded(0):
        flow = build(config(shape=(2,), transforms=6))
        initialize(flow, train)
        optimizer = torch.optim.Adam(flow.parameters(), lr=0.02)
        for _ in range(120):
            optimizer.zero_grad()
            rows = torch.randint(len(train), (256,))
            (-flow.log_prob(train[rows]).mean()).backward()
            optimizer.step()
    assert flow.log_prob(held_out).mean() > normal.log_prob(held_out).mean() + 0.2


@pytest.mark.parametrize(("build", "config"), BUILDERS)
def test_a_flow_of_two_integrates_to_one(
    build: Callable[..., Flow], config: Callable[..., object]
) -> None:
    flow = build(config(shape=(2,), transforms=3))
    check_normalised(perturbed(flow, 0.5, seed=2), -25.0, 25.0, points=1000)


def test_sizes() -> None:
    flow = planar(PlanarConfig(shape=(5,), transforms=3, norm="none"))
    assert sum(p.numel() for p in flow.parameters()) == 3 * (2 * 5 + 1)
    flow = radial(RadialConfig(shape=(5,), transforms=3, norm="none"))
    assert sum(p.numel() for p in flow.parameters()) == 3 * (5 + 2)
    flow = sylvester(SylvesterConfig(shape=(5,), transforms=3, norm="none", units=2, reflections=4))
    assert sum(p.numel() for p in flow.parameters()) == 3 * (4 * 5 + 2 * 4 + 2)
    layers = sylvester(SylvesterConfig(shape=(40,), transforms=1)).modules()
    assert [len(layer.b) for layer in layers if isinstance(layer, Sylvester)] == [16]


@pytest.mark.parametrize(("norm", "kind"), [("actnorm", ActNorm), ("batch", BatchNorm)])
def test_what_precedes_each_layer(norm: str, kind: type[torch.nn.Module]) -> None:
    flow = planar(PlanarConfig(shape=(3,), transforms=2, norm=norm))  # type: ignore[arg-type]
    kinds = [type(m) for m in flow.modules() if isinstance(m, (kind, Planar))]
    assert kinds == [kind, Planar] * 2


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"shape": None}, r"^shape: expected \(features,\), got None"),
        ({"transforms": 0}, r"^transforms: expected at least 1, got 0"),
        ({"units": 4}, r"^units: expected 1 to the features, 3, got 4"),
        ({"reflections": 0}, r"^reflections: expected at least 1, got 0"),
    ],
)
def test_refuses(settings: dict[str, object], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        sylvester(SylvesterConfig(**{"shape": (3,), **settings}))  # type: ignore[arg-type]
