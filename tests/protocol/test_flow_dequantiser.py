"""A generative surjection whose noise is itself a flow, conditional on the integers."""

from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from lambent.core import Compose, Flow, Transform, initialize, seeded
from lambent.core.transform import sum_event
from lambent.distributions import StandardNormal
from lambent.testing import check_flow, check_transform, perturbed, uniform
from lambent.transforms import ActNorm, Affine, Coupling, Rescale, Whole
from lambent.types import Context, PerSample, X, Z

from ..networks import Dense


class Logit(Transform):
    """``z = ln u - ln(1 - u)``, from (0, 1) to the reals."""

    cheap_inverse = True

    def forward(self, x: X, context: Context | None = None) -> tuple[Z, PerSample]:
        z = x.log() - (-x).log1p()
        return z, sum_event(F.softplus(z) + F.softplus(-z))

    def inverse(self, z: Z, context: Context | None = None) -> tuple[X, PerSample]:
        return z.sigmoid(), -sum_event(F.softplus(z) + F.softplus(-z))


class FlowDequantise(Transform):
    """``z = x + u`` with ``u`` from a flow over (0, 1) given ``x``; ``V = -log q(u | x)``."""

    stochastic_forward = True

    def __init__(self, levels: int, noise: Flow) -> None:
        super().__init__()
        self.levels = levels
        self.noise = noise

    def _context(self, x: Tensor) -> Tensor:
        like = next(self.noise.parameters())
        return x.to(like.dtype) / self.levels - 0.5

    def forward(self, x: X, context: Context | None = None) -> tuple[Z, PerSample]:
        u, log_prob = self.noise.rsample_and_log_prob(None, self._context(x))
        return x + u, -log_prob

    def encode(self, x: X, context: Context | None = None) -> Z:
        return x + self.noise.sample(None, self._context(x), temperature=0.0)

    def inverse(self, z: Z, context: Context | None = None) -> tuple[X, PerSample]:
        x = z.floor().clamp(0, self.levels - 1)
        inside = (z - x).clamp(1e-6, 1 - 1e-6)  # (z - x) may round to 0 or 1
        return x.to(torch.uint8), self.noise(inside, self._context(x))


def noise(size: int) -> Flow:
    transform = Compose(
        logit=Logit(), shape=Coupling(Dense(0, 2 * size, context=size), Affine(), Whole())
    )
    return Flow(transform, StandardNormal((size,)))


def build() -> FlowDequantise:
    return FlowDequantise(4, noise(3))


def integers() -> Tensor:
    return torch.tensor([[0, 1, 2], [3, 3, 0], [2, 1, 1]], dtype=torch.uint8)


def one_number() -> Flow:
    """A density of one integer 0 ... 3."""
    transform = Compose(
        FlowDequantise(4, noise(1)),
        Rescale(0.7, shift=-1.7),
        ActNorm(1),
    )
    return perturbed(Flow(transform, StandardNormal((1,))), 0.3, seed=5)


def exact_log_prob(flow: Flow, points: int = 4000) -> Tensor:
    """``log P(x)`` for x = 0 ... 3 by integrating the continuous part over each bin."""
    assert isinstance(flow.transform, Compose)
    rest = Flow(Compose(flow.transform[1], flow.transform[2]), flow.base)
    u = (torch.arange(points, dtype=torch.float64) + 0.5) / points
    z = (torch.arange(4)[:, None] + u).reshape(-1, 1)
    return rest.log_prob(z).detach().reshape(4, points).exp().mean(1).log()


def test_laws() -> None:
    check_transform(build(), integers(), rebuild=build, float32_tolerance=1e-3, skip=["compile"])


def test_laws_of_its_logit() -> None:
    check_transform(Logit(), uniform((3, 2)), skip=["compile"])


@pytest.mark.compile
def test_compiles() -> None:
    check_transform(build(), integers(), float32_tolerance=1e-3)


def test_laws_of_a_flow_with_it() -> None:
    flow = Flow(Compose(build(), ActNorm(3)), StandardNormal((3,)))
    check_flow(flow, integers(), skip=["compile"])


def test_noise_depends_on_the_integers_and_stays_inside() -> None:
    layer = perturbed(build(), 1.0, seed=1)
    x = integers()[:1].expand(2000, 3).clone()
    x[1000:] = 3
    z, _ = layer(x)
    assert torch.equal(z.floor().to(torch.uint8), x)
    u = z - x
    assert (u[:1000].mean(0) - u[1000:].mean(0)).abs().max() > 0.02


def test_layers_that_run_only_backwards_are_initialised_through_inv() -> None:
    """Noise is drawn by its flow's inverse; of ``steps.inv`` that is a forward pass."""

    def layer(*, backwards: bool) -> FlowDequantise:
        steps = Compose(norm=ActNorm(3), shape=Coupling(Dense(0, 6, context=3), Affine(), Whole()))
        transform = Compose(Logit(), steps.inv if backwards else steps)
        return FlowDequantise(4, Flow(transform, StandardNormal((3,))))

    for backwards in (False, True):
        flow = Flow(layer(backwards=backwards), StandardNormal((3,)))
        initialize(flow, integers())
        flags = [value for key, value in flow.state_dict().items() if key.endswith("initialized")]
        assert [bool(flag) for flag in flags] == [backwards]


def test_likelihood_is_a_bound() -> None:
    assert build().likelihood == "bound"
    assert one_number().likelihood == "bound"


def test_bound_lies_below_the_exact_value_and_its_exponential_is_right_in_the_mean() -> None:
    """``E log w <= log P`` and ``E w = P`` for ``w = p(x + u) / q(u | x)``, for every x."""
    flow = one_number()
    exact = exact_log_prob(flow)
    assert exact.exp().sum() < 1  # the normal reaches beyond the four bins
    draws = 20_000
    x = torch.arange(4, dtype=torch.uint8).repeat_interleave(draws)[:, None]
    with torch.no_grad(), seeded(0):
        weights = flow.log_prob(x).reshape(4, draws)
    standard_error = weights.std(1) / math.sqrt(draws)
    assert (weights.mean(1) < exact - 4 * standard_error).all()
    ratio = (weights - exact[:, None]).exp()
    assert ((ratio.mean(1) - 1).abs() < 4 * ratio.std(1) / math.sqrt(draws)).all()


def test_learning_the_noise_tightens_the_bound() -> None:
    flow = one_number()
    exact = exact_log_prob(flow)
    x = torch.arange(4, dtype=torch.uint8).repeat_interleave(500)[:, None]
    layer = flow.transform[0]
    with torch.no_grad(), seeded(0):
        before = flow.log_prob(x).reshape(4, 500).mean(1)
    optimiser = torch.optim.Adam(layer.parameters(), lr=0.02)
    for _ in range(150):
        loss = -flow.log_prob(x).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    with torch.no_grad(), seeded(0):
        after = flow.log_prob(x).reshape(4, 500)
    error = after.std(1) / math.sqrt(500)
    assert (after.mean(1) < exact + 4 * error).all()
    assert (exact - after.mean(1)).mean() < 0.2 * (exact - before).mean()
