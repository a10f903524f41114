"""Curves of models that are right, and of one that is not."""

from __future__ import annotations

import numpy as np
import pytest

from lambent.estimators import (
    FlowClassifier,
    FlowConditionalDensity,
    coverage_curve,
    probability_transform,
    reliability_curve,
)


def test_a_classifier_of_the_right_law_lies_on_the_diagonal() -> None:
    draw = np.random.default_rng(0)
    label = draw.integers(2, size=4000)
    rows = draw.normal(size=(4000, 2)) + 1.5 * label[:, None]
    model = FlowClassifier(random_state=0).fit(rows[:99], label[:99])
    stated, came_true = reliability_curve(model, rows, label, bins=5)
    np.testing.assert_allclose(stated, came_true, atol=0.12)
    wrong, came = reliability_curve(model, -rows, label, bins=5)
    assert np.abs(wrong - came).max() > 0.5
    with pytest.raises(ValueError, match=r"^y: expected classes of the fit, \[0 1\], got \[7, 7\]"):
        reliability_curve(model, rows[:2], [7, 7])


def test_coverage_of_the_right_law_is_as_stated() -> None:
    draw = np.random.default_rng(0)
    x = draw.normal(size=(3000, 1))
    y = x[:, 0] + draw.normal(size=3000)
    model = FlowConditionalDensity(random_state=0).fit(x[:99], y[:99])
    stated, inside = coverage_curve(model, x, y)
    np.testing.assert_allclose(stated, inside, atol=0.09)
    uniform = np.sort(probability_transform(model, x, y)[:, 0])
    assert np.abs(uniform - np.linspace(0, 1, 3000)).max() < 0.08
    _, wide = coverage_curve(model, x, 3 * y, [0.5])
    assert wide[0] < 0.35
