"""scikit-learn's own checks, all of them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sklearn.base import BaseEstimator
from sklearn.utils.estimator_checks import parametrize_with_checks

from lambent.estimators import (
    FlowClassifier,
    FlowConditionalDensity,
    FlowDensity,
    FlowOutlierDetector,
)


@parametrize_with_checks([FlowDensity()])
def test_check_estimator(estimator: BaseEstimator, check: Callable[[BaseEstimator], None]) -> None:
    check(estimator)


@pytest.mark.slow
@parametrize_with_checks([FlowClassifier(), FlowConditionalDensity(), FlowOutlierDetector()])
def test_check_estimators(estimator: BaseEstimator, check: Callable[[BaseEstimator], None]) -> None:
    check(estimator)
