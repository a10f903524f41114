from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lambent.core.units import Units
from lambent.train.curve import draw_curve
from lambent.train.metrics import MetricsFile, read_metrics


def test_one_row_a_step(tmp_path: Path) -> None:
    log = MetricsFile(tmp_path / "metrics.csv")
    log.log_metrics({"train/x": 1.5, "epoch": 0}, 10)
    log.log_metrics({"validation/x": 0.25}, 10)
    log.log_metrics({"train/x": 1 / 3}, 20)
    log.save()
    text = (tmp_path / "metrics.csv").read_text()
    assert text.splitlines() == ["step,train/x,validation/x", "10,1.5,0.25", "20,0.333333333,"]
    expected = {10: {"train/x": 1.5, "validation/x": 0.25}, 20: {"train/x": pytest.approx(1 / 3)}}
    assert read_metrics(tmp_path / "metrics.csv") == expected
    assert [p.name for p in tmp_path.iterdir()] == ["metrics.csv"]


def test_goes_on_where_logging_goes_on(tmp_path: Path) -> None:
    """Rows from the first new step on are of a future that did not happen."""
    path = tmp_path / "metrics.csv"
    log = MetricsFile(path)
    for step in (10, 20, 30, 40):
        log.log_metrics({"train/x": float(step)}, step)
    log.finalize("failed")
    again = MetricsFile(path)
    assert len(again.rows) == 4
    again.log_metrics({"train/y": 1.0}, 30)
    again.log_metrics({"train/x": 5.0}, 35)
    again.save()
    assert read_metrics(path) == {
        10: {"train/x": 10.0},
        20: {"train/x": 20.0},
        30: {"train/y": 1.0},
        35: {"train/x": 5.0},
    }


@pytest.mark.parametrize("lines", [[], ["10,2.5,", "20,2.25,2.5", "30,2.0,2.25"], ["7,2.5,"]])
@pytest.mark.parametrize("shape", [(1, 8, 8), (3,)])
def test_curve(lines: list[str], shape: tuple[int, ...], tmp_path: Path) -> None:
    header = "step,train/bits_per_dim,validation/bits_per_dim"
    (tmp_path / "metrics.csv").write_text("\n".join([header, *lines]) + "\n")
    draw_curve(tmp_path / "metrics.csv", tmp_path / "curve.png", Units(shape))
    with Image.open(tmp_path / "curve.png") as picture:
        pixels = np.asarray(picture.convert("RGB")).astype(int)
    blue = (pixels[..., 2] - pixels[..., 0] > 100).sum()  # the validation curve's colour
    assert (blue > 200) == (len(lines) == 3)
