from __future__ import annotations

from pathlib import Path

import pytest

from .conftest import Run


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_every_command_that_takes_a_run_takes_the_name(
    lambent: Run, two_digits: tuple[Path, Path]
) -> None:
    name = "digits-demo"
    for arguments in (
        ("sample", name, "--n", 4, "--out", "s.png"),
        ("reconstruct", name, "--data", "digits", "--n", 4, "--out", "r.png"),
        ("interpolate", name, *two_digits, "--out", "i.png"),
        ("info", name),
        ("info", name, "--check", "--n", 2),
        ("info", name, "--batch-size", 4),
    ):
        said = lambent(*arguments, "--json")
        assert said.code == 0, said.err
        assert said.figures


def test_it_is_measured_on_the_digits_it_held_out(lambent: Run) -> None:
    figures = lambent("evaluate", "digits-demo", "--data", "digits", "--json").figures
    assert figures["images"] == 359
    assert figures["bits_per_dim"] < 2.06
    recorded = lambent("info", "digits-demo", "--json").figures["data"]
    assert (recorded["validation"], recorded["seed"]) == (0.2, 0)


def test_a_path_is_the_folder(lambent: Run, plain: Path) -> None:
    asked = ("sample", "./digits-demo", "--n", 1, "--label", 3, "--out", "s.png")
    said = lambent(*asked)
    assert said.code == 2
    assert "run: ./digits-demo: expected a folder with a trained model" in said.err
    Path("digits-demo").symlink_to(plain)  # which is not class-conditional
    for name in ("./digits-demo", "digits-demo"):
        said = lambent("sample", name, "--n", 1, "--label", 3, "--out", "s.png")
        assert said.code == 2
        assert "label: the model is not class-conditional, got 3" in said.err
