"""A continuous flow through an adaptive solver, against the closed form of a linear one."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torchdiffeq import odeint

from lambent.core import Compose, Flow, Transform
from lambent.core.transform import zero_log_det
from lambent.distributions import StandardNormal
from lambent.testing import check_flow, check_transform, laws_for, perturbed
from lambent.transforms import ActNorm
from lambent.types import Context, Likelihood, PerSample, X, Z


class LinearODE(Transform):
    """``dx/dt = A x + b`` for a time T; ``d log p / dt = -tr A``.

    Does not compile: the solver chooses its steps by the values it sees.
    """

    compiles = False

    def __init__(self, size: int, *, time: float = 1.0, rtol: float = 1e-9) -> None:
        super().__init__()
        self.matrix = nn.Parameter(0.3 * torch.randn(size, size))
        self.drift = nn.Parameter(torch.zeros(size))
        self.time, self.rtol = time, rtol

    @property
    def likelihood(self) -> Likelihood:
        return "approximate"

    def _solve(self, x: Tensor, start: float, end: float) -> tuple[Tensor, Tensor]:
        def field(t: Tensor, state: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
            trace = torch.trace(self.matrix)
            return state[0] @ self.matrix.T + self.drift, trace.expand(len(x))

        times = torch.tensor([start, end], dtype=x.dtype)
        rtol = self.rtol if x.dtype == torch.float64 else max(self.rtol, 1e-5)
        states, log_dets = odeint(field, (x, zero_log_det(x)), times, rtol=rtol, atol=rtol)
        return states[-1], log_dets[-1]

    def forward(self, x: X, context: Context | None = None) -> tuple[Z, PerSample]:
        return self._solve(x, 0.0, self.time)

    def inverse(self, z: Z, context: Context | None = None) -> tuple[X, PerSample]:
        return self._solve(z, self.time, 0.0)


def test_laws_to_the_tolerance_of_the_solver() -> None:
    check_transform(LinearODE(3), torch.randn(3, 3), tolerance=1e-6)


def test_flags() -> None:
    layer = LinearODE(3)
    assert layer.likelihood == layer.inv.likelihood == "approximate"
    assert Compose(ActNorm(3), layer).likelihood == "approximate"
    assert not Compose(ActNorm(3), layer).compiles
    assert "compile" not in {law.name for law in laws_for(layer)}
    assert Flow(layer, StandardNormal((3,))).likelihood == "approximate"


def test_value_is_the_matrix_exponential_and_the_trace() -> None:
    layer = perturbed(LinearODE(3, time=1.7), 0.2, seed=1)
    with torch.no_grad():
        layer.drift.zero_()
    x = torch.randn(5, 3, dtype=torch.float64)
    z, log_det = layer(x)
    expected = x @ torch.linalg.matrix_exp(1.7 * layer.matrix).T
    torch.testing.assert_close(z, expected, rtol=1e-7, atol=1e-7)
    trace = 1.7 * torch.trace(layer.matrix).expand(5)
    torch.testing.assert_close(log_det, trace, rtol=1e-9, atol=1e-9)
    back, other = layer.inverse(expected)
    torch.testing.assert_close(back, x, rtol=1e-7, atol=1e-7)
    torch.testing.assert_close(other, -trace, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("rate", [0.8, -1.3])
def test_sign_of_pure_growth(rate: float) -> None:
    """With A = a I: ``z = x e^(aT)`` and ``V = d a T``."""
    layer = LinearODE(2, time=0.5).double()
    with torch.no_grad():
        layer.matrix.copy_(rate * torch.eye(2))
    x = torch.randn(4, 2, dtype=torch.float64)
    z, log_det = layer(x)
    factor = torch.tensor(0.5 * rate, dtype=torch.float64).exp()
    torch.testing.assert_close(z, x * factor, rtol=1e-7, atol=1e-7)
    torch.testing.assert_close(log_det, torch.full_like(log_det, 2 * rate * 0.5))


def test_a_loose_solver_breaks_the_law_at_a_tight_tolerance() -> None:
    with pytest.raises(AssertionError, match="breaks the law"):
        check_transform(LinearODE(3, rtol=1e-2), torch.randn(3, 3), tolerance=1e-9)


def test_laws_of_a_flow_with_it() -> None:
    flow = Flow(Compose(LinearODE(2), ActNorm(2)), StandardNormal((2,)))
    check_flow(flow, torch.randn(3, 2), tolerance=1e-6)


def test_density_of_a_linear_flow_is_the_normal_it_says() -> None:
    flow = Flow(perturbed(LinearODE(2), 0.2, seed=1), StandardNormal((2,)))
    back = torch.linalg.matrix_exp(-flow.transform.matrix)
    mean = flow.decode(torch.zeros(1, 2, dtype=torch.float64))[0]
    expected = torch.distributions.MultivariateNormal(mean, back @ back.T)
    x = torch.randn(4, 2, dtype=torch.float64)
    torch.testing.assert_close(flow.log_prob(x), expected.log_prob(x), rtol=1e-6, atol=1e-6)
