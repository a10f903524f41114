"""The density of targets given rows."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from scipy.stats import norm

from lambent.estimators import FlowConditionalDensity

Array = npt.NDArray[np.float64]
SLOPE = np.array([2.0, -1.0])


def linear(rows: int, seed: int = 0) -> tuple[Array, Array]:
    draw = np.random.default_rng(seed)
    x = draw.normal(size=(rows, 2))
    return x, x @ SLOPE + 3 + 0.5 * draw.normal(size=rows)


@pytest.fixture(scope="module")
def few() -> FlowConditionalDensity:
    return FlowConditionalDensity(random_state=0).fit(*linear(90))


def test_few_rows_are_of_the_regression(few: FlowConditionalDensity) -> None:
    x, y = linear(500, seed=1)
    assert few.n_steps_ == 0
    np.testing.assert_allclose(few.predict(x), x @ SLOPE + 3, atol=0.4)
    truth = norm(x @ SLOPE + 3, 0.5).logpdf(y)
    assert few.log_density(x, y).mean() == pytest.approx(truth.mean(), abs=0.1)
    assert few.score(x, y) > 0.9


def test_quantiles_and_intervals(few: FlowConditionalDensity) -> None:
    x, y = linear(500, seed=1)
    low, middle, high = few.quantiles(x, [0.05, 0.5, 0.95]).T
    np.testing.assert_allclose(middle, few.predict(x), atol=1e-6)
    np.testing.assert_allclose(few.intervals(x, 0.9), np.stack((low, high), 1))
    assert ((low < y) & (y < high)).mean() == pytest.approx(0.9, abs=0.05)
    # The distribution function at a quantile is its level.
    np.testing.assert_allclose(norm.cdf(few.latents(x, low)), 0.05, atol=1e-6)


def test_draws(few: FlowConditionalDensity) -> None:
    x, _ = linear(3)
    drawn = few.sample(x, 2000, random_state=0)
    assert drawn.shape == (3, 2000)
    np.testing.assert_allclose(drawn.mean(1), few.predict(x), atol=0.05)
    np.testing.assert_allclose(
        np.quantile(drawn, 0.9, axis=1), few.quantiles(x, [0.9])[:, 0], atol=0.08
    )
    np.testing.assert_array_equal(drawn, few.sample(x, 2000, random_state=0))


def test_several_targets() -> None:
    x, y = linear(95)
    both = np.stack((y, y + x[:, 0] + np.random.default_rng(3).normal(size=95)), 1)
    model = FlowConditionalDensity(random_state=0).fit(x, both)
    assert model.predict(x).shape == (95, 2)
    assert model.quantiles(x, [0.1, 0.5, 0.9]).shape == (95, 3, 2)
    assert model.intervals(x).shape == (95, 2, 2)
    assert model.sample(x[:5], 7, random_state=0).shape == (5, 7, 2)
    assert model.latents(x, both).shape == (95, 2)
    assert model.log_density(x, both).shape == (95,)
    inside = (model.intervals(x)[:, 0] < both) & (both < model.intervals(x)[:, 1])
    np.testing.assert_allclose(inside.mean(0), 0.9, atol=0.08)
    one = FlowConditionalDensity(random_state=0).fit(x, both[:, :1])
    assert one.predict(x).shape == (95, 1)
    assert one.quantiles(x, [0.5]).shape == (95, 1, 1)


@pytest.mark.slow
def test_learns_an_error_whose_size_depends_on_the_row() -> None:
    draw = np.random.default_rng(0)
    x = draw.uniform(-2, 2, size=(2000, 1))
    y = np.sin(2 * x[:, 0]) + (0.1 + 0.3 * (x[:, 0] > 0)) * draw.normal(size=2000)
    model = FlowConditionalDensity(random_state=0).fit(x, y)
    at = np.array([[-1.0], [1.0]])
    width = np.diff(model.intervals(at, 0.68))[:, 0] / 2
    np.testing.assert_allclose(width, [0.1, 0.4], rtol=0.35)
    np.testing.assert_allclose(model.predict(at), np.sin(2 * at[:, 0]), atol=0.15)


def test_refuses(few: FlowConditionalDensity) -> None:
    x, y = linear(5)
    with pytest.raises(ValueError, match=r"^levels: expected numbers above 0 and below 1"):
        few.quantiles(x, [0.0, 0.5])
    with pytest.raises(ValueError, match=r"^coverage: expected numbers above 0 and below 1"):
        few.intervals(x, 1.0)
    with pytest.raises(ValueError, match=r"^y: expected 5 rows of 1 targets, got shape \(4,\)"):
        few.log_density(x, y[:4])
    with pytest.raises(ValueError, match=r"^n_samples: expected at least 1, got 0$"):
        few.sample(x, 0)
