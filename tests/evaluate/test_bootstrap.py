from __future__ import annotations

import math

import numpy as np
import pytest

from lambent.evaluate.bootstrap import bootstrap_interval


def test_normal_values_give_the_normal_interval() -> None:
    """Of many values, the percentile interval is the mean and 1.96 standard errors."""
    values = np.random.default_rng(1).normal(5.0, 2.0, 2_000)
    found = bootstrap_interval(values, 4_000, seed=0)
    assert found is not None
    error = values.std(ddof=1) / math.sqrt(len(values))
    assert found[0] == pytest.approx(values.mean() - 1.96 * error, abs=0.1 * error)
    assert found[1] == pytest.approx(values.mean() + 1.96 * error, abs=0.1 * error)


def test_few_skewed_values_give_a_skewed_interval() -> None:
    values = np.array([0.0] * 9 + [10.0])
    low, high = bootstrap_interval(values, 2_000, seed=0) or (math.nan, math.nan)
    assert low == 0.0
    assert high == 3.0  # binomial: P(at most 3 of 10 resampled are the large one) = 0.987


def test_seeded_and_of_one_image_there_is_none() -> None:
    values = np.arange(10.0)
    assert bootstrap_interval(values, 50, 3) == bootstrap_interval(values, 50, 3)
    assert bootstrap_interval(values, 50, 3) != bootstrap_interval(values, 50, 4)
    assert bootstrap_interval(values[:1], 50, 3) is None
    with pytest.raises(ValueError, match=r"^bootstrap: expected at least 1, got 0"):
        bootstrap_interval(values, 0, 0)
