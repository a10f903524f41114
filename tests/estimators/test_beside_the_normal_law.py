"""On small real tables a density is not worse than the normal law of full covariance."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy.stats import multivariate_normal
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris, load_wine
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

from lambent.estimators import FlowDensity


@pytest.mark.slow
@pytest.mark.parametrize("load", [load_iris, load_wine, load_breast_cancer, load_diabetes])
def test_not_worse_by_more_than_noise(load: Callable[[], Any]) -> None:
    rows = StandardScaler().fit_transform(load().data)  # for the sake of scipy's law
    gains = []
    for seed in range(10):
        train, test = train_test_split(rows, test_size=0.2, random_state=seed)
        law = multivariate_normal(train.mean(0), np.cov(train.T, bias=True))
        model = FlowDensity(random_state=seed).fit(train)
        gains.append(model.score(test) - law.logpdf(test).mean())
    assert np.mean(gains) > -np.std(gains, ddof=1) / len(gains) ** 0.5
