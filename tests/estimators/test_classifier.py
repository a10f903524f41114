"""Bayes' rule."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from scipy.special import logsumexp
from scipy.stats import multivariate_normal
from sklearn.datasets import load_iris
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.model_selection import train_test_split

from lambent.estimators import FlowClassifier

Array = npt.NDArray[np.float64]


def test_few_rows_are_classified_by_normal_laws(normal_rows: Array) -> None:
    label = np.where(normal_rows @ [1.0, -1.0, 0.2] > 8, "high", "low")
    model = FlowClassifier(random_state=0).fit(normal_rows, label)
    assert model.n_steps_ == 0
    linear = LinearDiscriminantAnalysis().fit(normal_rows, label)
    assert (model.predict(normal_rows) == linear.predict(normal_rows)).mean() > 0.95


def test_probabilities_are_of_bayes_rule(normal_rows: Array) -> None:
    label = (normal_rows[:, 0] > normal_rows[:, 0].mean()).astype(int)
    model = FlowClassifier(priors=[0.3, 0.7], random_state=0).fit(normal_rows, label)
    weight = model.flow_.transform.weight.numpy()  # type: ignore[operator,union-attr]
    covariance = np.linalg.inv(weight.T @ weight)
    slope = model.flow_.transform.slope.numpy()  # type: ignore[operator,union-attr]
    mean = model.flow_.transform.mean.numpy()[:, None] + slope  # type: ignore[operator,union-attr]
    joint = np.stack(
        [
            multivariate_normal(mean[:, k], covariance).logpdf(normal_rows) + np.log(p)
            for k, p in enumerate((0.3, 0.7))
        ],
        1,
    )
    total = logsumexp(joint, axis=1)
    np.testing.assert_allclose(model.score_samples(normal_rows), total, rtol=1e-6)
    np.testing.assert_allclose(
        model.predict_log_proba(normal_rows), joint - total[:, None], atol=1e-6
    )
    np.testing.assert_allclose(model.predict_proba(normal_rows).sum(1), 1)


@pytest.mark.slow
def test_classes_that_no_plane_parts() -> None:
    draw = np.random.default_rng(0)
    rows = draw.normal(size=(1500, 2)) * 1.5
    label = (np.linalg.norm(rows, axis=1) > 1.8).astype(int)
    train, test, of_train, of_test = train_test_split(rows, label, random_state=0)
    model = FlowClassifier(random_state=0).fit(train, of_train)
    assert model.score(test, of_test) > 0.9


@pytest.mark.slow
def test_iris() -> None:
    rows, label = load_iris(return_X_y=True)
    train, test, of_train, of_test = train_test_split(rows, label, random_state=0)
    assert FlowClassifier(random_state=0).fit(train, of_train).score(test, of_test) > 0.93


@pytest.mark.parametrize("priors", [[0.5, 0.5, 0.0], [0.5, 0.6], [1.0, 0.0]])
def test_refuses_priors(normal_rows: Array, priors: list[float]) -> None:
    label = np.arange(80) % 2
    with pytest.raises(ValueError, match=r"^priors: expected 2 numbers above 0 that sum to 1, got"):
        FlowClassifier(priors=priors).fit(normal_rows, label)


def test_refuses_targets_that_are_no_classes(normal_rows: Array) -> None:
    with pytest.raises(ValueError, match="Unknown label type: continuous"):
        FlowClassifier().fit(normal_rows, normal_rows[:, 0])
