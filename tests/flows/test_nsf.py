"""Neural spline flows of couplings."""

from __future__ import annotations

import pytest
import torch

from lambent import NSFConfig, nsf, seeded
from lambent.testing import check_normalised, perturbed
from lambent.transforms import Coupling, Permute, PLUConv1x1


def couplings(**settings: object) -> NSFConfig:
    return NSFConfig(**{"shape": (5,), "form": "coupling", "width": 8} | settings)  # type: ignore[arg-type]


def test_sizes() -> None:
    flow = nsf(couplings(transforms=3, bins=4, layers=1, norm="none"))
    for layer, kept in zip(flow.transform, (3, 2, 3), strict=True):
        assert isinstance(layer, Coupling)
        assert sum(p.numel() for p in layer.parameters()) == kept * 8 + 8 + 9 * (5 - kept) * 11


def test_starts_as_the_identity() -> None:
    x = 2 * torch.randn(6, 5)
    for network in ("plain", "residual"):
        flow = nsf(couplings(norm="none", network=network, kept_splines=True))
        torch.testing.assert_close(flow.encode(x), x, rtol=1e-6, atol=2e-6)


@pytest.mark.parametrize("form", ["coupling", "autoregressive"])
def test_mixing(form: str) -> None:
    def between(mixing: str) -> list[type]:
        flow = nsf(couplings(form=form, mixing=mixing, transforms=3))
        return [type(m) for m in flow.modules() if isinstance(m, (Permute, PLUConv1x1))]

    assert between("shuffle") == [Permute] * 2
    assert between("linear") == [PLUConv1x1] * 2
    assert between("reverse") == ([] if form == "coupling" else [Permute] * 2)


def test_every_number_reaches_every_other() -> None:
    with seeded(1):
        flow = perturbed(nsf(couplings(transforms=3, norm="none")), 0.5, seed=2).double()
    x = torch.randn(5, dtype=torch.float64)
    jacobian = torch.autograd.functional.jacobian(lambda x: flow.transform(x[None])[0][0], x)
    assert (jacobian != 0).all()


def test_two_features_integrate_to_one() -> None:
    with seeded(0):
        flow = nsf(couplings(shape=(2,), transforms=2, bins=3, norm="none", kept_splines=True))
    check_normalised(perturbed(flow, 0.2, seed=3), -7.0, 7.0, points=400)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"shape": (1,)}, "^shape: expected 2 features or more of couplings, got 1"),
        ({"dropout": 0.1}, "^dropout: expected 0 without residual networks, got 0.1"),
        ({"dropout": 1.0, "network": "residual"}, "^dropout: expected 0 to 1, and less than 1"),
        ({"form": "autoregressive", "network": "residual"}, "^network: expected plain in the auto"),
        ({"degrees": "random"}, "^degrees: expected even of couplings, got random"),
        ({"inverse": "jacobi"}, "^inverse: expected cached of couplings, got jacobi"),
        ({"form": "autoregressive", "kept_splines": True}, "^kept_splines: expected false in"),
    ],
)
def test_refuses(settings: dict[str, object], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        nsf(couplings(**settings))
