"""A flow with the interface of torch.distributions."""

from __future__ import annotations

import pytest
import torch

from lambent.core import Compose, Flow, seeded
from lambent.distributions import StandardNormal
from lambent.flows import GlowConfig, glow
from lambent.testing import perturbed
from lambent.transforms import ActNorm, Affine, Coupling, PLUConv1x1

from ..networks import Dense


def plain() -> Flow:
    return perturbed(Flow(Compose(PLUConv1x1(2), ActNorm(2)), StandardNormal((2,))), 0.4, seed=1)


def conditional() -> Flow:
    coupling = Coupling(Dense(1, 2, context=3), Affine())
    return perturbed(Flow(Compose(coupling, ActNorm(2)), StandardNormal((2,))), 0.5, seed=1)


CONTEXT = torch.randn(4, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))


def test_is_one_of_torchs() -> None:
    distribution = plain().as_distribution()
    assert isinstance(distribution, torch.distributions.Distribution)
    assert distribution.event_shape == (2,)
    assert distribution.batch_shape == ()
    assert conditional().as_distribution(CONTEXT).batch_shape == (4,)


@pytest.mark.parametrize("shape", [(), (1,), (5,), (2, 3)])
def test_shapes(shape: tuple[int, ...]) -> None:
    distribution = plain().as_distribution()
    x = distribution.sample(shape)
    assert x.shape == (*shape, 2)
    assert distribution.log_prob(x).shape == shape
    distribution = conditional().as_distribution(CONTEXT)
    x = distribution.sample(torch.Size(shape))
    assert x.shape == (*shape, 4, 2)
    assert distribution.log_prob(x).shape == (*shape, 4)


def test_log_prob_is_the_flows() -> None:
    flow, x = plain(), torch.randn(2, 3, 2, dtype=torch.float64)
    expected = flow.log_prob(x.reshape(6, 2)).reshape(2, 3)
    torch.testing.assert_close(flow.as_distribution().log_prob(x), expected)


def test_log_prob_of_each_row_has_its_context() -> None:
    flow, x = conditional(), torch.randn(5, 4, 2, dtype=torch.float64)
    found = flow.as_distribution(CONTEXT).log_prob(x)
    for i in range(5):
        torch.testing.assert_close(found[i], flow.log_prob(x[i], CONTEXT))
    assert found.std(1).min() > 1e-3


def test_values_broadcast_over_the_batch() -> None:
    flow, x = conditional(), torch.randn(2, dtype=torch.float64)
    found = flow.as_distribution(CONTEXT).log_prob(x)
    torch.testing.assert_close(found, flow.log_prob(x.expand(4, 2), CONTEXT))
    one_for_all = torch.randn(3, 1, 2, dtype=torch.float64)
    found = flow.as_distribution(CONTEXT).log_prob(one_for_all)
    assert found.shape == (3, 4)
    torch.testing.assert_close(found[1], flow.log_prob(one_for_all[1].expand(4, 2), CONTEXT))


def test_samples_of_each_row_have_its_context() -> None:
    flow = conditional()
    with seeded(2):
        x = flow.as_distribution(CONTEXT).sample((1000,))
    error = (flow.encode(x.transpose(0, 1).reshape(-1, 2), CONTEXT.repeat_interleave(1000, 0))).std(
        0
    )
    torch.testing.assert_close(error, torch.ones(2).double(), rtol=0, atol=0.06)
    with seeded(2):
        expected = flow.sample(1000, CONTEXT).reshape(4, 1000, 2).transpose(0, 1)
    assert torch.equal(x, expected)


def test_rsample_has_gradients() -> None:
    distribution = plain().as_distribution()
    assert distribution.rsample((3,)).requires_grad
    assert not distribution.sample((3,)).requires_grad


def test_works_with_torchs_own_tools() -> None:
    flow = conditional()
    independent = torch.distributions.Independent(flow.as_distribution(CONTEXT), 1)
    x = independent.sample()
    assert x.shape == (4, 2)
    torch.testing.assert_close(independent.log_prob(x), flow.log_prob(x, CONTEXT).sum())


def test_images_keep_their_dtype() -> None:
    config = GlowConfig(shape=(1, 4, 4), grey_levels=256, levels=1, steps=1, width=4)
    distribution = glow(config).as_distribution()
    x = distribution.sample((2, 3))
    assert x.dtype == torch.uint8
    assert x.shape == (2, 3, 1, 4, 4)
    assert distribution.log_prob(x).shape == (2, 3)
