from __future__ import annotations

from pathlib import Path
from typing import Literal

import pytest
import torch

from lambent import (
    Flow,
    IAFConfig,
    MADEConfig,
    MAFConfig,
    NSFConfig,
    iaf,
    load,
    made,
    maf,
    nsf,
    save,
    seeded,
)
from lambent.testing import check_normalised, perturbed
from lambent.transforms import Autoregressive, Permute


def layers(flow: Flow) -> int:
    return sum(isinstance(m, Autoregressive) for m in flow.modules())


def test_sizes() -> None:
    assert layers(made(MADEConfig(shape=(3,)))) == 1
    assert layers(maf(MAFConfig(shape=(3,), transforms=4))) == 4
    with seeded(0):
        flow = maf(MAFConfig(shape=(6,), width=10, layers=1, transforms=2, norm="none"))
    assert sum(p.numel() for p in flow.parameters()) == 2 * (6 * 10 + 10 + 10 * 12 + 12)


def test_an_iaf_is_a_maf_turned_round() -> None:
    with seeded(0):
        inverse = perturbed(iaf(IAFConfig(shape=(4,), width=8)), 0.2, seed=1).double()
    with seeded(0):
        direct = perturbed(maf(MAFConfig(shape=(4,), width=8)), 0.2, seed=1).double()
    z = torch.randn(5, 4, dtype=torch.float64)
    twice, once = "transform.transform.", "transform."
    direct.load_state_dict({k.replace(twice, once): v for k, v in inverse.state_dict().items()})
    torch.testing.assert_close(inverse.decode(z), direct.encode(z), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("inverse", ["cached", "dense", "jacobi"])
def test_random_orders_and_degrees_survive_the_file_by_every_inverse(
    inverse: Literal["cached", "dense", "jacobi"], tmp_path: Path
) -> None:
    config = MAFConfig(
        shape=(6,), width=9, transforms=2, mixing="shuffle", degrees="random", inverse=inverse
    )
    with seeded(4):
        flow = perturbed(maf(config), 0.3, seed=1).float()
    save(flow, tmp_path)
    again, x = load(tmp_path), torch.randn(5, 6)
    assert sum(isinstance(m, Permute) for m in again.modules()) == 1
    assert {m.way for m in again.modules() if isinstance(m, Autoregressive)} == {inverse}
    assert torch.equal(again.encode(x), flow.eval().encode(x))
    torch.testing.assert_close(again.decode(again.encode(x)), x, rtol=1e-4, atol=1e-4)


def test_an_nsf_starts_as_the_identity_and_has_splines_in_every_layer() -> None:
    flow = nsf(NSFConfig(shape=(4,), transforms=3, bins=5, norm="none", width=8, layers=1))
    x = 2 * torch.randn(6, 4)
    torch.testing.assert_close(flow.encode(x), x, rtol=1e-6, atol=2e-6)
    assert layers(flow) == 3
    sizes = 4 * 8 + 8 + 8 * 4 * 14 + 4 * 14
    assert sum(p.numel() for p in flow.parameters()) == 3 * sizes


def test_an_nsf_of_two_integrates_to_one() -> None:
    flow = nsf(NSFConfig(shape=(2,), width=6, transforms=2, bins=4, norm="none"))
    check_normalised(perturbed(flow, 0.5, seed=3), -7.0, 7.0, points=400)


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("shape", (1, 4, 4), r"^shape: expected \(features,\), got \(1, 4, 4\)"),
        ("transforms", 0, r"^transforms: expected at least 1, got 0"),
        ("bins", 1, r"^bins: expected 2 to 999, got 1"),
        ("bins", 1000, r"^bins: expected 2 to 999, got 1000"),
        ("spline_bound", 0.0, r"^spline_bound: expected a number above 0, got 0.0"),
        ("spline_bound", float("inf"), r"^spline_bound: expected a number above 0, got inf"),
    ],
)
def test_an_nsf_refuses(field: str, value: object, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        nsf(NSFConfig(**{"shape": (3,), field: value}))  # type: ignore[arg-type]


@pytest.mark.parametrize("build", [made, maf, iaf])
@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("shape", (1, 4, 4), r"^shape: expected \(features,\), got \(1, 4, 4\)"),
        ("shape", None, r"^shape: expected \(features,\), got None"),
        ("width", 0, r"^width: expected at least 1, got 0"),
        ("scale_bound", 0.0, r"^scale_bound: expected more than 0"),
    ],
)
def test_refuses(build: object, field: str, value: object, said: str) -> None:
    config = {made: MADEConfig, maf: MAFConfig, iaf: IAFConfig}[build]  # type: ignore[index]
    with pytest.raises(ValueError, match=said):
        build(config(**{"shape": (3,), field: value}))  # type: ignore[operator]
