"""``lambent info RUN --conditioning``."""

from __future__ import annotations

from pathlib import Path

import pytest

from lambent import DataConfig, load, load_images
from lambent.evaluate import measure_conditioning

from .conftest import Run
from .test_commands import documented, pixels


def test_figures_of_held_out_images(lambent: Run, run: Path, tmp_path: Path) -> None:
    out = tmp_path / "c.png"
    said = lambent(
        "info", run, "--conditioning", "--data", "digits", "--n", 3, "--out", out, "--json"
    )
    assert said.code == 0, said.err
    figures = said.figures
    assert set(figures) <= documented("info")
    x, y = load_images("digits", DataConfig(split="validation", validation=0.2))[:3]
    found = measure_conditioning(load(run), x, y)
    assert figures["singular_values"][2] == pytest.approx(found.singular_values[2].tolist())
    assert figures["condition"] == pytest.approx(found.condition.tolist())
    assert figures["condition_largest"] == max(figures["condition"])
    assert figures["condition_median"] == sorted(figures["condition"])[1]
    assert (figures["inputs"], figures["events"], figures["dims"]) == ("digits, validation", 3, 64)
    assert (figures["method"], figures["jacobian_of"]) == ("exact", "the steps after Dequantise")
    height, width = pixels(out).shape[:2]
    assert width > height > 300


def test_a_table_of_the_models_own_draws(lambent: Run, run: Path) -> None:
    said = lambent("info", run, "--conditioning")
    assert said.code == 0, said.err
    lines = said.out.splitlines()
    assert lines[0].split() == [
        *("event", "largest", "second", "second", "smallest", "smallest", "condition"),
    ]
    assert [line.split()[0] for line in lines[1:5]] == ["0", "1", "2", "3"]
    largest, *_, smallest, condition = (float(word) for word in lines[1].split()[1:])
    assert condition == pytest.approx(largest / smallest, rel=0.02)
    assert condition > 1.05
    assert "draws from the model itself at temperature 0.7" in said.out
