from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.distributions import Independent, Normal, kl_divergence

from lambent.core import Flow, seeded
from lambent.distributions import StandardNormal
from lambent.evaluate import reverse_kl
from lambent.nn import MLP
from lambent.testing import perturbed
from lambent.transforms import Coupling, Standardise, Whole

MEAN, STD = torch.tensor([0.5, -1.0]).double(), torch.tensor([2.0, 0.7]).double()
TARGET = Independent(Normal(MEAN, STD), 1)


def gaussian(context_features: int) -> Flow:
    """A normal whose mean and log standard deviation a network reads off the context."""
    net = MLP(0, 4, width=8, context_features=context_features)
    transform = Coupling(net, Standardise(), Whole())
    return perturbed(Flow(transform, StandardNormal((2,))), 0.3, seed=1).double()


def normals(flow: Flow, context: Tensor) -> Independent:
    params = flow.transform.net(context[:, :0], context).unflatten(1, (2, 2))  # type: ignore[operator, union-attr]
    return Independent(Normal(params[..., 0], params[..., 1].exp()), 1)


def test_the_divergence_of_normals_and_its_gradient() -> None:
    flow, context = gaussian(3), torch.randn(4, 3, dtype=torch.float64)
    exact = kl_divergence(normals(flow, context), TARGET).mean()
    with seeded(0):
        found = reverse_kl(flow, TARGET.log_prob, 50_000, context)
    assert found.item() == pytest.approx(exact.item(), rel=0.02)
    parameters = list(flow.parameters())
    expected = torch.autograd.grad(exact, parameters)
    for a, b in zip(torch.autograd.grad(found, parameters), expected, strict=True):
        torch.testing.assert_close(a, b, rtol=0.05, atol=0.03)


def test_a_factor_of_the_density_is_taken_off() -> None:
    flow, context = gaussian(3), torch.randn(1, 3, dtype=torch.float64)
    values = []
    for log_z in (0.0, 3.5):
        with seeded(0):
            shifted = reverse_kl(flow, lambda x, z=log_z: TARGET.log_prob(x) + z, 10, context)
        values.append(shifted.item())
    assert values[0] - values[1] == pytest.approx(3.5)


def test_one_number_for_each_event_is_asked_for() -> None:
    flow = Flow(gaussian(1).transform, StandardNormal((2,)).double())
    with pytest.raises(ValueError, match=r"^log_density: expected one number for each of 3 events"):
        reverse_kl(flow, lambda x: x, 3, torch.zeros(1, 1, dtype=torch.float64))
