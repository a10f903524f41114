from __future__ import annotations

import pytest
import torch

from lambent import Flow, IAFConfig, MADEConfig, MAFConfig, iaf, made, maf, seeded
from lambent.testing import perturbed
from lambent.transforms import Autoregressive


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
