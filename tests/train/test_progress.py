from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from lambent import Flow, Images, TrainConfig, fit

NewFlow = Callable[..., Flow]
Quick = Callable[..., TrainConfig]


def test_a_line_for_each_validation_without_a_terminal(
    new_flow: NewFlow,
    images: Images,
    held_out: Images,
    quick: Quick,
    capsys: pytest.CaptureFixture[str],
) -> None:
    fitted = fit(new_flow(), images, held_out, config=quick())
    captured = capsys.readouterr()
    assert captured.out == ""
    first, second = captured.err.splitlines()
    assert first.startswith("step 10: ")
    assert second.startswith("step 20: ")
    assert f"best {fitted.bits_per_dim:.3f}, " in second
    assert "images/s, 0:00:00 left, validation " in second


@pytest.mark.parametrize("failing", [False, True])
def test_a_bar_on_a_terminal(
    *,
    failing: bool,
    new_flow: NewFlow,
    images: Images,
    held_out: Images,
    quick: Quick,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")  # rich takes what it writes to for a terminal
    monkeypatch.setenv("COLUMNS", "120")
    if failing:
        (tmp_path / "samples").write_text("where a folder should be")
        with pytest.raises(OSError, match="samples"):
            fit(new_flow(), images, held_out, config=quick(), out=tmp_path)
    else:
        fit(new_flow(), images, held_out, config=quick())
    err = capsys.readouterr().err
    assert "step 10: " not in err
    assert "bits/dim" in err
    assert "images/s" in err
    hidden, shown = err.rfind("\x1b[?25l"), err.rfind("\x1b[?25h")
    assert 0 <= hidden < shown  # the cursor is back
