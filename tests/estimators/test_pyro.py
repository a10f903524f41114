"""A flow in Pyro: drawn, observed, on plates, and as a guide."""

from __future__ import annotations

import math
import warnings

import pytest
import torch

from lambent import MAFConfig, maf, seeded

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    pyro = pytest.importorskip("pyro")

from lambent.estimators.pyro import PyroDistribution


def test_drawn_and_observed() -> None:
    with seeded(0):
        flow = maf(MAFConfig(shape=(2,), width=8, context_features=3))
        context, x = torch.randn(4, 3), torch.randn(4, 2)
    law = PyroDistribution(flow, context)
    assert (law.batch_shape, law.event_shape) == ((4,), (2,))

    def model() -> None:
        with pyro.plate("rows", 4):
            pyro.sample("x", law, obs=x)

    trace = pyro.poutine.trace(model).get_trace()
    torch.testing.assert_close(trace.log_prob_sum(), flow.log_prob(x, context).sum())
    plain = PyroDistribution(maf(MAFConfig(shape=(2,), width=8)))
    with pyro.plate("rows", 5):
        assert pyro.sample("z", plain).shape == (5, 2)


def test_a_flow_as_a_guide() -> None:
    """The posterior of a normal mean given one row is N(x / 2, 1 / 2)."""
    pyro.clear_param_store()
    given = torch.tensor([2.0, -1.0])
    with seeded(0):
        flow = maf(MAFConfig(shape=(2,), width=8, transforms=1, norm="none"))

        def model() -> None:
            mean = pyro.sample("m", pyro.distributions.Normal(torch.zeros(2), 1.0).to_event(1))
            pyro.sample("x", pyro.distributions.Normal(mean, 1.0).to_event(1), obs=given)

        def guide() -> None:
            pyro.module("flow", flow)
            pyro.sample("m", PyroDistribution(flow))

        adam = pyro.optim.Adam({"lr": 0.02})
        loss = pyro.infer.Trace_ELBO(num_particles=32, vectorize_particles=True)
        svi = pyro.infer.SVI(model, guide, adam, loss)
        for _ in range(300):
            svi.step()
        drawn = flow.sample(4000)
    torch.testing.assert_close(drawn.mean(0), given / 2, atol=0.1, rtol=0)
    torch.testing.assert_close(drawn.std(0), torch.full((2,), math.sqrt(0.5)), atol=0.1, rtol=0)
