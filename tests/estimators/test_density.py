"""The density of rows."""

from __future__ import annotations

import pickle
import sys
import time
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from scipy.stats import multivariate_normal
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import lambent
from lambent.estimators import FlowDensity
from lambent.train import rows as training

Array = npt.NDArray[np.float64]


def test_few_rows_are_of_the_normal_law(normal_rows: Array) -> None:
    model = FlowDensity(random_state=0).fit(normal_rows)
    assert model.n_steps_ == 0
    law = multivariate_normal(normal_rows.mean(0), np.cov(normal_rows.T, bias=True))
    # The shrinkage that rows held out choose moves it by little.
    np.testing.assert_allclose(
        model.score_samples(normal_rows), law.logpdf(normal_rows), atol=0.3, rtol=0
    )
    assert model.score(normal_rows) == pytest.approx(model.score_samples(normal_rows).mean())


@pytest.fixture(scope="module")
def humps() -> tuple[FlowDensity, Array]:
    draw = np.random.default_rng(0)
    side = draw.integers(2, size=(400, 1))
    rows = np.hstack((5.0 * side, 0 * side)) + draw.normal(size=(400, 2))
    return FlowDensity(random_state=0).fit(rows), rows


def test_leaves_the_normal_law_for_two_humps(humps: tuple[FlowDensity, Array]) -> None:
    model, rows = humps
    assert model.n_steps_ > 0
    truth = 0.5 * (multivariate_normal([0, 0]).pdf(rows) + multivariate_normal([5, 0]).pdf(rows))
    normal = multivariate_normal(rows.mean(0), np.cov(rows.T)).logpdf(rows).mean()
    assert model.gain_ > 0.2
    assert normal + 0.2 < model.score(rows) < np.log(truth).mean() + 0.15


def test_the_density_integrates_to_one(humps: tuple[FlowDensity, Array]) -> None:
    line = np.linspace(-8, 13, 400)
    grid = np.stack(np.meshgrid(line, line), -1).reshape(-1, 2)
    mass = np.exp(humps[0].score_samples(grid)).sum() * (line[1] - line[0]) ** 2
    assert mass == pytest.approx(1, abs=2e-3)


def test_draws_are_of_the_density(humps: tuple[FlowDensity, Array]) -> None:
    model, rows = humps
    drawn = model.sample(4000, random_state=1)
    np.testing.assert_allclose(drawn.mean(0), rows.mean(0), atol=0.25)
    np.testing.assert_array_equal(drawn, model.sample(4000, random_state=1))
    assert (drawn != model.sample(4000, random_state=2)).all()
    assert 0.35 < (drawn[:, 0] > 2.5).mean() < 0.65


@pytest.mark.usefixtures("quick")
def test_a_fit_repeats_itself_and_survives_pickling(two_humps: Array) -> None:
    first = FlowDensity(random_state=3).fit(two_humps)
    again = clone(first).fit(two_humps).score_samples(two_humps)
    nats = first.score_samples(two_humps)
    np.testing.assert_allclose(again, nats, atol=1e-4)  # products in float32 may round otherwise
    other = FlowDensity(random_state=4).fit(two_humps).score_samples(two_humps)
    assert np.abs(other - nats).max() > 1e-3
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(first)).score_samples(two_humps), nats)
    assert isinstance(first.flow_, lambent.Flow)
    x = torch.tensor(two_humps)
    np.testing.assert_array_equal(first.flow_.log_prob(x), first.score_samples(two_humps))


@pytest.mark.usefixtures("quick")
def test_units_do_not_matter(two_humps: Array) -> None:
    scale = np.array([1e-6, 1e5])
    plain = FlowDensity(random_state=0).fit(two_humps)
    scaled = FlowDensity(random_state=0).fit(two_humps * scale + 1e3 * scale)
    np.testing.assert_allclose(
        scaled.score(two_humps * scale + 1e3 * scale) + np.log(scale).sum(),
        plain.score(two_humps),
        atol=1e-3,
    )


def test_constant_and_repeated_columns(normal_rows: Array) -> None:
    rows = np.hstack((normal_rows, normal_rows[:, :1], np.full((len(normal_rows), 1), 7.0)))
    model = FlowDensity(random_state=0).fit(rows)
    assert np.isfinite(model.score_samples(rows)).all()
    drawn = model.sample(500, random_state=0)
    assert np.abs(drawn[:, 4] - 7).max() < 0.05
    np.testing.assert_allclose(drawn[:, 0], drawn[:, 3], atol=0.1)
    strange = rows[:1] + np.array([0, 0, 0, 0, 1.0])
    assert model.score_samples(strange)[0] < model.score_samples(rows).min() - 1e3


def test_more_columns_than_rows() -> None:
    rows = np.random.default_rng(0).normal(size=(40, 60))
    fresh = np.random.default_rng(1).normal(size=(200, 60))
    truth = multivariate_normal(np.zeros(60)).logpdf(fresh).mean()
    assert FlowDensity(random_state=0).fit(rows).score(fresh) > truth - 12


def test_time_is_kept(two_humps: Array) -> None:
    rows = np.tile(two_humps, (20, 4)) + 0.1 * np.random.default_rng(0).normal(size=(8000, 8))
    start = time.monotonic()
    FlowDensity(random_state=0, max_seconds=1.0).fit(rows)
    assert time.monotonic() - start < 4  # one step, and scoring, beyond it


def test_an_interrupted_fit_keeps_the_best_so_far(
    two_humps: Array, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = 0
    step = training._Run.step

    def interrupting(self: Any, *args: Any) -> bool:
        nonlocal taken
        taken += 1
        if taken > 120:
            raise KeyboardInterrupt
        return step(self, *args)

    monkeypatch.setattr(training._Run, "step", interrupting)
    with pytest.warns(UserWarning, match="^fit was interrupted: the best flow so far is kept"):
        model = FlowDensity(random_state=0).fit(two_humps)
    assert np.isfinite(model.score(two_humps))


def test_with_the_rest_of_scikit_learn(normal_rows: Array) -> None:
    chain = make_pipeline(StandardScaler(), PCA(), FlowDensity(random_state=0))
    search = GridSearchCV(chain, {"pca__n_components": [1, 2]}, cv=2).fit(normal_rows)
    assert search.best_estimator_.score_samples(normal_rows).shape == (80,)


@pytest.mark.usefixtures("quick")
def test_shows_how_far_it_is(two_humps: Array, capsys: pytest.CaptureFixture[str]) -> None:
    FlowDensity(random_state=0, verbose=True).fit(two_humps)
    assert "nats a row held out" in capsys.readouterr().out
    FlowDensity(random_state=0).fit(two_humps)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("settings", "rows", "said"),
    [
        ({"max_seconds": 0}, np.eye(3), "^max_seconds: expected a number above 0, got 0"),
        ({}, np.full((4, 2), np.nan), "Input X contains NaN"),
        ({}, np.ones((1, 2)), "minimum of 2 is required"),
        ({}, np.ones(4), "Expected 2D array, got 1D array instead"),
    ],
)
def test_refuses(settings: dict[str, Any], rows: Array, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        FlowDensity(**settings).fit(rows)


def test_refuses_to_draw_nothing(normal_rows: Array) -> None:
    with pytest.raises(ValueError, match=r"^n_samples: expected at least 1, got 0$"):
        FlowDensity(random_state=0).fit(normal_rows).sample(0)


def test_lightning_is_not_imported() -> None:
    import subprocess

    script = "import lambent.estimators, sys; print('lightning' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "False"
