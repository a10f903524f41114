"""Every family trains on pictures, is measured, drawn from and read back by the same commands."""

from __future__ import annotations

from pathlib import Path

import pytest

from .conftest import Run

SMALL = {
    "nice": ("--model.width=8", "--model.layers=1"),
    "realnvp": ("--model.width=4", "--model.blocks=1"),
}


@pytest.mark.parametrize("name", sorted(SMALL))
def test_from_training_to_samples(name: str, lambent: Run, tmp_path: Path) -> None:
    run = tmp_path / "run"
    steps = ("--train.max_steps=3", "--train.validation_images=20", "--data-validation=0.02")
    trained = lambent(
        "train", "--model", name, "--data=digits", "--out", run, *steps, *SMALL[name], "--json"
    )
    assert trained.code == 0, trained.err
    assert trained.figures["likelihood"] == "bound"
    measured = lambent("evaluate", run, "--data=digits", "--json")
    assert measured.figures["bits_per_dim"] == pytest.approx(
        trained.figures["bits_per_dim"], abs=1e-4
    )
    drawn = lambent("sample", run, "--n=4", "--out", tmp_path / "s.png")
    assert drawn.code == 0, drawn.err
    assert (tmp_path / "s.png").stat().st_size > 0
    back = lambent(
        "reconstruct", run, "--data=digits", "--n=8", "--out", tmp_path / "r.png", "--json"
    )
    assert back.figures["pixels_that_differ"] == 0
