"""Outliers, and how many normal rows are called so."""

from __future__ import annotations

import pickle

import numpy as np
import numpy.typing as npt
import pytest

from lambent.estimators import FlowOutlierDetector
from lambent.estimators.outliers import threshold

Array = npt.NDArray[np.float64]


def ring(rows: int, seed: int) -> Array:
    """A ring with noise, which no normal law has."""
    draw = np.random.default_rng(seed)
    angle = draw.uniform(0, 2 * np.pi, rows)
    radius = 3 + 0.3 * draw.normal(size=rows)
    return np.stack((radius * np.cos(angle), radius * np.sin(angle)), 1)


@pytest.mark.slow
def test_the_middle_of_a_ring_is_an_outlier_and_false_alarms_are_as_many_as_asked() -> None:
    model = FlowOutlierDetector(contamination=0.1, random_state=0).fit(ring(3000, 0))
    assert model.predict([[0.0, 0.0], [9.0, 9.0], [3.0, 0.0]]).tolist() == [-1, -1, 1]
    alarms = (model.predict(ring(20_000, 1)) == -1).mean()
    assert alarms == pytest.approx(0.1, abs=0.025)
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(
        again.decision_function([[1.0, 2.0]]), [model.decision_function([[1.0, 2.0]])[0]]
    )


def test_false_alarms_where_the_flow_has_learned_its_rows_by_heart() -> None:
    draw = np.random.default_rng(0)
    rates = []
    for _ in range(300):
        nats = draw.normal(size=1000)
        held = np.arange(1000) < 200
        nats[~held] += 2.0  # seen rows lie higher than fresh ones
        rates.append((draw.normal(size=4000) < threshold(nats, held, 0.1)).mean())
    assert np.mean(rates) == pytest.approx(0.1, abs=0.01)


def test_the_threshold_of_all_rows_where_those_held_out_agree() -> None:
    nats = np.random.default_rng(0).normal(size=1000)
    held = np.arange(1000) < 200
    assert threshold(nats, held, 0.1) == np.quantile(nats, 0.1)


def test_few_rows(normal_rows: Array) -> None:
    model = FlowOutlierDetector(random_state=0).fit(normal_rows)
    assert model.predict(normal_rows[:1] + 1e3).tolist() == [-1]
    np.testing.assert_allclose(
        model.decision_function(normal_rows), model.score_samples(normal_rows) - model.offset_
    )


@pytest.mark.parametrize("share", [0.0, 0.6])
def test_refuses(normal_rows: Array, share: float) -> None:
    with pytest.raises(ValueError, match=f"^contamination: expected above 0 and .* got {share}"):
        FlowOutlierDetector(contamination=share).fit(normal_rows)
