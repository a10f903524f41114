"""A residual block: invertible because its branch contracts, inverted by iteration."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.func import jacrev, vmap

from lambent.core import Flow, Transform
from lambent.core.transform import widened
from lambent.distributions import StandardNormal
from lambent.errors import NotInvertibleError, check_converged
from lambent.testing import check_flow, check_normalised, check_transform, laws_for, perturbed
from lambent.types import Context, Likelihood, PerSample, X, Z


class Contraction(nn.Module):
    """A network of Lipschitz constant below ``bound``: weights divided by their largest value."""

    def __init__(self, size: int, bound: float, width: int = 8) -> None:
        super().__init__()
        self.bound = bound
        self.enter, self.leave = nn.Linear(size, width), nn.Linear(width, size)

    def forward(self, x: Tensor) -> Tensor:
        share = self.bound**0.5
        for i, layer in enumerate((self.enter, self.leave)):
            norm = torch.linalg.matrix_norm(layer.weight, 2)
            weight = layer.weight * (share / norm.clamp(min=share))
            x = nn.functional.linear(x.tanh() if i else x, weight, layer.bias)
        return x


class Residual(Transform):
    """``z = x + g(x)``; ``V = ln |det (I + dg/dx)|`` by autograd; the inverse by fixed point.

    Does not compile: it iterates until the residual is small.
    """

    compiles = False

    def __init__(
        self, branch: nn.Module, *, tolerance: float = 1e-10, max_steps: int = 500
    ) -> None:
        super().__init__()
        self.branch = branch
        self.tolerance, self.max_steps = tolerance, max_steps

    def _log_det(self, x: Tensor) -> Tensor:
        def one(row: Tensor) -> Tensor:
            return row + self.branch(row[None])[0]

        return torch.linalg.slogdet(widened(vmap(jacrev(one))(x)))[1]

    def forward(self, x: X, context: Context | None = None) -> tuple[Z, PerSample]:
        return (x + self.branch(x)).to(x.dtype), self._log_det(x)

    def inverse(self, z: Z, context: Context | None = None) -> tuple[X, PerSample]:
        tolerance = max(self.tolerance, 10 * torch.finfo(z.dtype).eps)
        x = z
        residual = torch.full((len(z),), torch.inf, dtype=z.dtype)
        for _ in range(self.max_steps):
            new = z - self.branch(x)
            residual = (new - x).abs().amax(1)
            x = new
            if float(residual.detach().max()) <= tolerance:
                break
        check_converged(residual, tolerance, "fixed point of a residual block")
        return x, -self._log_det(x)


def build(bound: float = 0.8, **settings: float) -> Residual:
    return Residual(Contraction(3, bound), **settings)


def test_laws() -> None:
    """Autocast would run the branch in half precision, which no fixed point tolerates."""
    check_transform(build(), torch.randn(3, 3), spread=0.7, tolerance=1e-8, skip=["autocast"])


def test_flags() -> None:
    layer = build()
    assert layer.bijective
    assert layer.likelihood == "exact"
    names = {law.name for law in laws_for(layer)}
    assert "jacobian" in names
    assert "compile" not in names


def test_branch_keeps_its_bound() -> None:
    branch = perturbed(Contraction(3, 0.8), 2.0, seed=1)
    x, y = torch.randn(2, 500, 3, dtype=torch.float64)
    ratio = (branch(x) - branch(y)).norm(dim=1) / (x - y).norm(dim=1)
    assert 0.1 < ratio.max() <= 0.8


def test_inverse_that_does_not_converge_says_how_far_it_came() -> None:
    layer = perturbed(build(0.95, max_steps=3), 2.0, seed=1)
    z = 2 * torch.randn(4, 3, dtype=torch.float64)
    with pytest.raises(NotInvertibleError, match="fixed point of a residual block") as caught:
        layer.inverse(z)
    x = z
    for _ in range(3):
        x, last = z - layer.branch(x), x
    assert caught.value.residual == pytest.approx(float((x - last).abs().max().detach()))
    assert caught.value.residual > 1e-6
    layer.max_steps = 1000
    assert torch.allclose(layer(layer.inverse(z)[0])[0], z, atol=1e-8)


def test_a_branch_that_expands_is_refused_by_its_inverse() -> None:
    layer = Residual(nn.Linear(3, 3)).double()
    with torch.no_grad():
        layer.branch.weight.copy_(-3 * torch.eye(3))
    with pytest.raises(NotInvertibleError):
        layer.inverse(torch.ones(2, 3, dtype=torch.float64))


def test_flow_of_two_integrates_to_one() -> None:
    flow = Flow(Residual(Contraction(2, 0.8)), StandardNormal((2,)))
    check_flow(flow, torch.randn(3, 2), tolerance=1e-8, spread=0.7, skip=["autocast"])
    check_normalised(perturbed(flow, 0.7, seed=2), -8.0, 8.0)


class Hutchinson(Residual):
    """As above, with the trace of the logarithm's series estimated by random vectors."""

    @property
    def likelihood(self) -> Likelihood:
        return "unbiased"

    def _log_det(self, x: Tensor) -> Tensor:
        def one(row: Tensor) -> Tensor:
            return self.branch(row[None])[0]

        matrix = vmap(jacrev(one))(x)
        probe = torch.randn_like(x)[:, :, None]
        vector, total = probe, torch.zeros(len(x), dtype=x.dtype)
        for k in range(1, 80):
            vector = matrix @ vector
            total = total + (-1) ** (k + 1) / k * (probe * vector).sum((1, 2))
        return total


def test_laws_of_an_unbiased_estimate() -> None:
    layer = Hutchinson(Contraction(2, 0.5))
    check_transform(layer, torch.randn(3, 2), spread=0.7, tolerance=1e-8, skip=["autocast"])


def test_a_biased_estimate_breaks_the_law() -> None:
    class Biased(Hutchinson):
        def _log_det(self, x: Tensor) -> Tensor:
            return super()._log_det(x) + 0.3

    with pytest.raises(AssertionError, match="standard errors"):
        check_transform(Biased(Contraction(2, 0.5)), torch.randn(3, 2), tolerance=1e-8)
