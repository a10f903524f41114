"""NICE: sizes, the volume it keeps, and that it learns."""

from __future__ import annotations

import re

import pytest
import torch

from lambent import NICEConfig, initialize, nice, seeded, trace
from lambent.testing import check_normalised, perturbed

VECTOR = {"shape": (6,), "width": 8, "layers": 1}


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"shape": None}, "shape: expected (features,) or (channels, height, width), got None"),
        ({"shape": (2, 3)}, "shape: expected (features,) or (channels, height, width), all"),
        ({"shape": (0,)}, "shape: expected (features,) or (channels, height, width), all"),
        ({"shape": (1,)}, "shape: expected at least 2 numbers for a coupling, got (1,)"),
        ({"grey_levels": 4}, "grey_levels: expected none for vectors, got 4"),
        ({"shape": (1, 2, 2), "grey_levels": 1}, "grey_levels: expected 2 to 256, got 1"),
        ({"couplings": 0}, "couplings: expected at least 1, got 0"),
        ({"layers": 0}, "layers: expected at least 1, got 0"),
        ({"width": 0}, "width: expected at least 1, got 0"),
    ],
)
def test_what_it_refuses(settings: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        nice(NICEConfig(**{**VECTOR, **settings}))  # type: ignore[arg-type]


def test_only_the_scaling_changes_volume() -> None:
    flow = perturbed(nice(NICEConfig(**VECTOR)), 0.3, seed=0)  # type: ignore[arg-type]
    x = torch.randn(3, 6, dtype=torch.float64)
    found = {entry.path: entry.log_likelihood for entry in trace(flow, x)}
    scales = dict(flow.transform.named_parameters())["scale.log_scale"]
    assert scales.abs().sum() > 0.1
    for i in range(4):
        assert not found[f"coupling{i}"].any()
    torch.testing.assert_close(found["scale"], scales.detach().sum().expand(3))


def test_parameters_of_the_published_mnist_model() -> None:
    """Five hidden layers of 1000 over 392 of 784 pixels, four times, and the scaling."""
    settings = NICEConfig(shape=(1, 28, 28), grey_levels=256, layers=5, width=1000)
    with torch.device("meta"):
        flow = nice(settings)
    one = 393 * 1000 + 4 * 1001 * 1000 + 1001 * 392
    assert sum(p.numel() for p in flow.parameters()) == 4 * one + 784


@pytest.mark.parametrize("prior", ["logistic", "normal"])
def test_it_is_a_density(prior: str) -> None:
    flow = nice(NICEConfig(shape=(2,), width=8, layers=1, prior=prior))  # type: ignore[arg-type]
    edge = 60.0 if prior == "logistic" else 30.0
    check_normalised(perturbed(flow, 0.2, seed=3), -edge, edge, points=1200)


def test_a_picture_is_laid_out_by_rows() -> None:
    """The first coupling leaves the even places of the raster as they are."""
    flow = perturbed(nice(NICEConfig(shape=(1, 3, 3), couplings=1, width=8)), 0.3, seed=0)
    x = torch.randn(2, 1, 3, 3, dtype=torch.float64)
    states = {entry.path: entry.z for entry in trace(flow, x)}
    flat, coupled = x.flatten(1), states["coupling0"]
    assert torch.equal(coupled[:, 0::2], flat[:, 0::2])
    assert (coupled[:, 1::2] != flat[:, 1::2]).all()


def test_the_scaling_is_set_from_the_first_batch() -> None:
    with seeded(0):
        flow = nice(NICEConfig(**VECTOR))  # type: ignore[arg-type]
        x = torch.randn(200, 6) * torch.tensor([0.01, 0.1, 1, 1, 10, 100])
    before = flow.log_prob(x).mean()
    initialize(flow, x)
    std = flow.encode(x).std(0, correction=0)
    torch.testing.assert_close(std, torch.ones(6), atol=1e-3, rtol=0)
    assert flow.log_prob(x).mean() > before + 5
