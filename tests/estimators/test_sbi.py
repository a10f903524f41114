"""A flow as the density estimator of sbi: shapes, and a posterior that is known."""

from __future__ import annotations

import warnings
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from lambent import seeded

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # what its own imports say
    pytest.importorskip("sbi")
    from sbi.inference import NLE, NPE

from lambent.estimators.sbi import (
    SBIEstimator,
    likelihood_builder,
    posterior_builder,
)

SMALL: dict[str, object] = {"width": 16, "transforms": 2, "layers": 1}


def simulated(n: int) -> tuple[Tensor, Tensor]:
    """``theta ~ N(0, 1)``, ``x = 100 + theta + N(0, 1/4)``: the posterior is a normal."""
    theta = torch.randn(n, 2)
    return theta, 100 + theta + 0.5 * torch.randn(n, 2)


def test_shapes() -> None:
    with seeded(0):
        theta, x = simulated(60)
        estimator = posterior_builder("maf", **SMALL)(theta, x)
    assert isinstance(estimator, SBIEstimator)
    assert estimator.loss(theta, x).shape == (60,)
    drawn, nats = estimator.sample_and_log_prob(torch.Size((3, 2)), x[:4])
    assert drawn.shape == (3, 2, 4, 2)
    assert drawn.dtype == nats.dtype == torch.float32
    one = estimator.log_prob(theta[None, :5], x[:5])
    assert one.shape == (1, 5)
    torch.testing.assert_close(estimator.log_prob(theta[:5, None], x[:1])[:, 0].shape, (5,))
    by_row = estimator.net.log_prob(theta[:5], x[:5])
    torch.testing.assert_close(one[0], by_row.float())


def test_an_embedding_learns_along() -> None:
    embedding = nn.Sequential(nn.Flatten(), nn.Linear(12, 3))
    with seeded(0):
        theta, x = torch.randn(40, 2), torch.randn(40, 3, 4)
        estimator = posterior_builder("nsf", embedding_net=embedding, **SMALL)(theta, x)
    estimator.loss(theta, x).sum().backward()
    assert all(p.grad is not None for p in embedding.parameters())
    assert estimator.sample(torch.Size((2,)), x[:3]).shape == (2, 3, 2)


def test_refuses() -> None:
    with pytest.raises(ValueError, match=r"^model: expected a family of vectors, got 'nfs'"):
        posterior_builder("nfs")
    with pytest.raises(ValueError, match=r"constant 'x0'"):
        posterior_builder("maf")(torch.zeros(9, 1), torch.randn(9, 2))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("method", ["posterior", "likelihood"])
def test_the_posterior_of_a_normal(
    method: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # sbi leaves its logs where it runs
    with seeded(0):
        theta, x = simulated(1000)
        prior = torch.distributions.MultivariateNormal(torch.zeros(2), torch.eye(2))
        if method == "posterior":
            inference = NPE(prior, density_estimator=posterior_builder("nsf", **SMALL))
        else:
            inference = NLE(prior, density_estimator=likelihood_builder("nsf", **SMALL))
        inference.append_simulations(theta, x)
        inference.train(max_num_epochs=40, show_train_summary=False)
        posterior = inference.build_posterior()
        given = torch.tensor([[100.8, 99.2]])
        drawn = posterior.sample((500,), x=given, show_progress_bars=False)
    torch.testing.assert_close(drawn.mean(0), 0.8 * (given[0] - 100), atol=0.15, rtol=0)
    torch.testing.assert_close(drawn.std(0), torch.full((2,), 0.2**0.5), atol=0.1, rtol=0)
