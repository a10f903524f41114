"""Planar, radial and Sylvester layers."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from lambent.core import Flow, Transform
from lambent.distributions import StandardNormal
from lambent.testing import check_normalised, perturbed
from lambent.transforms import Planar, Radial, Sylvester

LAYERS: dict[str, Callable[[], Transform]] = {
    "planar": lambda: Planar(2),
    "radial": lambda: Radial(2),
    "sylvester": lambda: Sylvester(2, 2),
    "sylvester of one unit": lambda: Sylvester(2, 1),
}


@pytest.mark.parametrize("name", LAYERS)
def test_it_starts_as_the_identity(name: str) -> None:
    torch.manual_seed(0)
    x = torch.randn(5, 2)
    z, log_det = LAYERS[name]()(x)
    torch.testing.assert_close(z, x, rtol=1e-6, atol=1e-6)
    torch.testing.assert_close(log_det, torch.zeros(5), rtol=0, atol=1e-6)


@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize("seed", [0, 1])
def test_a_flow_of_two_integrates_to_one(name: str, seed: int) -> None:
    flow = Flow(LAYERS[name](), StandardNormal((2,)))
    check_normalised(perturbed(flow, 0.8, seed=seed), -20.0, 20.0, points=1000)


@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize("spread", [0.01, 1.0, 30.0])
@pytest.mark.parametrize(
    ("dtype", "tolerance"), [(torch.float64, 1e-10), (torch.float32, 1e-3)], ids=["64", "32"]
)
def test_any_parameters_leave_it_invertible(
    name: str, spread: float, dtype: torch.dtype, tolerance: float
) -> None:
    for seed in range(20):
        layer = perturbed(LAYERS[name](), spread, seed=seed).to(dtype)
        if isinstance(layer, Sylvester):  # the condition number grows with R times S
            layer.raw_s.data.clamp_(-2, 2)
            layer.raw_r.data.clamp_(-10, 10)
        x = 3 * torch.randn(50, 2, dtype=dtype)
        z, log_det = layer(x)
        again, minus = layer.inverse(z)
        torch.testing.assert_close(again, x, rtol=tolerance, atol=tolerance * (1 + spread))
        torch.testing.assert_close(minus, -log_det, rtol=1e-2, atol=tolerance * (1 + spread))
        assert bool(torch.isfinite(log_det).all())


def test_planar_is_the_papers() -> None:
    layer = perturbed(Planar(3), 1.0, seed=4).double()
    x = torch.randn(6, 3, dtype=torch.float64)
    w, u = layer.w.detach(), layer._params(x, None)[0][0].detach()
    expected = x + u * torch.tanh(x @ w + layer.b.detach())[:, None]
    torch.testing.assert_close(layer(x)[0].detach(), expected)
    raw = layer.u.detach()
    across = raw - (raw @ w) / (w @ w) * w
    torch.testing.assert_close(u - (u @ w) / (w @ w) * w, across)  # changed along w alone
    with torch.no_grad():
        layer.u.copy_(-100 * layer.w)
    assert layer._params(x, None)[2].item() == pytest.approx(-0.99)


def test_radial_is_the_papers() -> None:
    layer = perturbed(Radial(3), 1.0, seed=4).double()
    x = torch.randn(6, 3, dtype=torch.float64)
    centre, alpha, beta = (p.detach() for p in layer._params(x, None))
    r = (x - centre).norm(dim=1)
    h, slope = 1 / (alpha + r), -1 / (alpha + r).square()
    expected = (1 + beta * h).log() * 2 + (1 + beta * h + beta * slope * r).log()
    z, log_det = layer(x)
    torch.testing.assert_close(z.detach(), x + (beta * h)[:, None] * (x - centre))
    torch.testing.assert_close(log_det.detach(), expected)
    back, minus = layer.inverse(centre)
    torch.testing.assert_close(back.detach(), centre)
    assert bool(torch.isfinite(minus))


@pytest.mark.parametrize(("units", "reflections"), [(1, 1), (3, 3), (3, 7), (5, 2)])
def test_the_basis_of_a_sylvester_layer_is_orthonormal(units: int, reflections: int) -> None:
    layer = Sylvester(5, units, reflections=reflections).double()
    basis = layer.basis
    torch.testing.assert_close(basis.T @ basis, torch.eye(units, dtype=torch.float64))
    product = torch.eye(5, dtype=torch.float64)
    for mirror in layer.mirrors.detach():
        eye = torch.eye(5, dtype=torch.float64)
        product = product @ (eye - 2 * torch.outer(mirror, mirror) / (mirror @ mirror))
    torch.testing.assert_close(basis.detach(), product[:, :units])


def test_a_sylvester_layer_is_the_papers_with_upper_triangles() -> None:
    layer = perturbed(Sylvester(4, 3), 0.5, seed=4).double()
    x = torch.randn(6, 4, dtype=torch.float64)
    r, s, both, b = (p.detach()[0] for p in layer._params(x, None))
    assert torch.equal(r, r.triu())
    assert torch.equal(s, s.triu())
    assert bool((both > -0.99).all())
    torch.testing.assert_close(r.diagonal() * s.diagonal(), both)
    q = layer.basis.detach()
    expected = x + torch.tanh(x @ q @ s.T + b) @ r.T @ q.T
    torch.testing.assert_close(layer(x)[0].detach(), expected)


def test_refuses() -> None:
    with pytest.raises(ValueError, match=r"^features: expected at least 1, got 0"):
        Planar(0)
    with pytest.raises(ValueError, match=r"^features: expected at least 1, got 0"):
        Radial(0)
    with pytest.raises(ValueError, match=r"^units: expected 1 to the features, 3, got 4"):
        Sylvester(3, 4)
    with pytest.raises(ValueError, match=r"^reflections: expected at least 1, got 0"):
        Sylvester(3, 2, reflections=0)
    with pytest.raises(ValueError, match=r"^context: expected a row for each event, got None"):
        Planar(2, net=torch.nn.Linear(3, 5))(torch.zeros(1, 2))
