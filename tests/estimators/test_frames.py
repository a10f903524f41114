"""Frames of pandas and polars."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd
import polars as pl
import pytest
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from lambent.estimators import (
    FlowClassifier,
    FlowConditionalDensity,
    FlowDensity,
    FlowOutlierDetector,
)

Array = npt.NDArray[np.float64]
NAMES = ["a", "b", "c"]


@pytest.mark.parametrize("kind", ["pandas", "polars"])
def test_frames_give_what_arrays_give(normal_rows: Array, kind: str) -> None:
    frame = (
        pd.DataFrame(normal_rows, columns=NAMES)
        if kind == "pandas"
        else pl.DataFrame(normal_rows, schema=NAMES)
    )
    label = (normal_rows[:, 0] > 1).astype(int)
    for model in (FlowDensity(random_state=0), FlowOutlierDetector(random_state=0)):
        of_frame = model.fit(frame).score_samples(frame)
        assert model.feature_names_in_.tolist() == NAMES
        np.testing.assert_array_equal(of_frame, model.fit(normal_rows).score_samples(normal_rows))
    classes = FlowClassifier(random_state=0).fit(frame, pd.Series(label))
    assert classes.predict(frame).shape == (80,)
    targets = frame[["a", "b"]]
    density = FlowConditionalDensity(random_state=0).fit(frame[["c"]], targets)
    assert density.predict(frame[["c"]]).shape == (80, 2)
    assert density.log_density(frame[["c"]], targets).shape == (80,)


def test_names_of_another_order_are_refused(normal_rows: Array) -> None:
    frame = pd.DataFrame(normal_rows, columns=NAMES)
    model = FlowDensity(random_state=0).fit(frame)
    with pytest.raises(ValueError, match="feature names should match"):
        model.score_samples(frame[["b", "a", "c"]])


@pytest.mark.parametrize("output", ["pandas", "polars"])
def test_behind_a_step_that_gives_frames(normal_rows: Array, output: str) -> None:
    frame = pd.DataFrame(normal_rows, columns=NAMES)
    chain = make_pipeline(StandardScaler(), FlowDensity(random_state=0)).set_output(
        transform=output
    )
    assert np.isfinite(chain.fit(frame).score(frame))
    assert chain[-1].feature_names_in_.tolist() == NAMES


@pytest.mark.parametrize(
    "frame",
    [
        pd.DataFrame({"size": [1.0, 2.0], "town": ["Ulm", "Hof"], "ok": [True, False]}),
        pl.DataFrame({"size": [1.0, 2.0], "town": ["Ulm", "Hof"], "ok": [True, False]}),
        pd.DataFrame({"size": [1.0, 2.0], "town": pd.Categorical(["Ulm", "Hof"])}),
    ],
)
def test_columns_of_text_are_named(frame: pd.DataFrame | pl.DataFrame) -> None:
    with pytest.raises(ValueError, match=r"^X: expected columns of numbers, got 'town' \(\w+"):
        FlowDensity().fit(frame)
