"""Other densities of tables, each given what a careful user would give it."""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable

import nflows.distributions
import nflows.flows
import nflows.transforms
import numpy as np
import torch
import zuko
from numpy.typing import NDArray
from sklearn.mixture import GaussianMixture
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KernelDensity
from sklearn.preprocessing import StandardScaler
from torch import Tensor, nn

Array = NDArray[np.float64]
Score = Callable[[Array], Array]
"""From rows to the log-density of each."""


def in_own_units(score: Score, scaler: StandardScaler) -> Score:
    """The log-density of rows from that of standardised ones."""
    log_det = -np.log(scaler.scale_).sum()
    return lambda rows: score(scaler.transform(rows)) + log_det


def normal(train: Array, seed: int, seconds: float) -> tuple[Score, dict[str, object]]:
    """The normal law of full covariance, by maximum likelihood."""
    mean, factor = train.mean(0), np.linalg.cholesky(np.cov(train.T, bias=True))
    constant = train.shape[1] / 2 * math.log(2 * math.pi) + np.log(np.diag(factor)).sum()

    def score(rows: Array) -> Array:
        z = np.linalg.solve(factor, (rows - mean).T)
        return -(z**2).sum(0) / 2 - constant

    return score, {}


def mixture(train: Array, seed: int, seconds: float) -> tuple[Score, dict[str, object]]:
    """A mixture of normals of full covariance; BIC chooses how many, within the time."""
    scaler = StandardScaler().fit(train)
    rows = scaler.transform(train)
    start = time.process_time()
    found: dict[int, tuple[float, GaussianMixture]] = {}
    for components in (1, 2, 4, 8, 12, 16, 24, 32, 48, 64):
        model = GaussianMixture(components, random_state=seed, max_iter=300, reg_covar=1e-6)
        model.fit(rows)
        found[components] = (model.bic(rows), model)
        if time.process_time() - start > seconds:
            break
        if len(found) > 2 and found[components][0] > min(bic for bic, _ in found.values()) + 500:
            break
    best = min(found, key=lambda k: found[k][0])
    return in_own_units(found[best][1].score_samples, scaler), {"components": best}


def kernels(train: Array, seed: int, seconds: float) -> tuple[Score, dict[str, object]]:
    """A normal kernel at every row; the bandwidth by cross-validation on 3,000 rows, rescaled."""
    scaler = StandardScaler().fit(train)
    rows = scaler.transform(train)
    some = rows[np.random.default_rng(seed).permutation(len(rows))[:3_000]]
    widths = {"bandwidth": np.geomspace(0.05, 1.0, 15)}
    search = GridSearchCV(KernelDensity(), widths, cv=5).fit(some)
    # Scott's rule says how the best bandwidth falls with the rows.
    factor = (len(rows) / (0.8 * len(some))) ** (-1 / (rows.shape[1] + 4))
    bandwidth = float(search.best_params_["bandwidth"] * factor)
    model = KernelDensity(bandwidth=bandwidth).fit(rows)
    return in_own_units(model.score_samples, scaler), {"bandwidth": round(bandwidth, 3)}


def zuko_nsf(train: Array, seed: int, seconds: float) -> tuple[Score, dict[str, object]]:
    """Zuko's neural spline flow with its own defaults, and two hidden layers of 64."""
    torch.manual_seed(seed)
    flow = zuko.flows.NSF(train.shape[1], transforms=3, hidden_features=(64, 64), randperm=True)
    return trained(flow, lambda x: flow().log_prob(x), train, seed, seconds)


def nflows_nsf(train: Array, seed: int, seconds: float) -> tuple[Score, dict[str, object]]:
    """Nflows's autoregressive neural spline flow, of zuko's size."""
    torch.manual_seed(seed)
    features = train.shape[1]
    steps: list[nn.Module] = []
    for _ in range(3):
        steps.append(nflows.transforms.RandomPermutation(features))
        steps.append(
            nflows.transforms.MaskedPiecewiseRationalQuadraticAutoregressiveTransform(
                features, 64, num_bins=8, tails="linear", tail_bound=5.0, num_blocks=2
            )
        )
    base = nflows.distributions.StandardNormal([features])
    flow = nflows.flows.Flow(nflows.transforms.CompositeTransform(steps), base)
    return trained(flow, flow.log_prob, train, seed, seconds)


def trained(
    module: nn.Module,
    log_prob: Callable[[Tensor], Tensor],
    train: Array,
    seed: int,
    seconds: float,
) -> tuple[Score, dict[str, object]]:
    """Standardised rows, a tenth held out, Adam along a cosine over the time, the best look."""
    scaler = StandardScaler().fit(train)
    rows = torch.tensor(scaler.transform(train), dtype=torch.float32)
    rows = rows[torch.randperm(len(rows))]
    held, rest = rows[: len(rows) // 10], rows[len(rows) // 10 :]
    adam = torch.optim.Adam(module.parameters(), 1e-3)
    start, taken, best = time.process_time(), 0, -math.inf
    kept = copy.deepcopy(module.state_dict())
    while (spent := (time.process_time() - start) / seconds) < 1:
        adam.param_groups[0]["lr"] = 1e-3 * (1 + math.cos(math.pi * spent)) / 2
        loss = -log_prob(rest[torch.randint(len(rest), (256,))]).mean()
        adam.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(module.parameters(), 10.0)
        adam.step()
        taken += 1
        if taken % 100 == 0:
            with torch.no_grad():
                nats = float(log_prob(held).mean())
            if nats > best:
                best, kept = nats, copy.deepcopy(module.state_dict())
    module.load_state_dict(kept)
    module.double()

    @torch.no_grad()
    def score(table: Array) -> Array:
        parts = torch.tensor(table, dtype=torch.float64).split(2048)
        return torch.cat([log_prob(part) for part in parts]).numpy()

    return in_own_units(score, scaler), {"steps": taken}


PEERS = {
    "normal law": normal,
    "Gaussian mixture": mixture,
    "kernel density": kernels,
    "zuko NSF": zuko_nsf,
    "nflows NSF": nflows_nsf,
}
