from __future__ import annotations

from pathlib import Path

from .conftest import TINY, Run

FEW = ("--train.validation_images=8", "--train.max_steps=3", "--train.initialization_batch=64")


def test_says_how_many_steps_were_clipped(lambent: Run, tmp_path: Path) -> None:
    """Where any were; the words are for people, the number for programs."""
    train = ("train", "--data", "digits", *TINY, *FEW, "--out")
    tight = ("--train.clip_norm=1e-6",)
    said = lambent(*train, tmp_path / "0", *tight)
    assert said.code == 0, said.err
    rows = {line.split("  ")[0]: line.split("  ")[-1].strip() for line in said.out.splitlines()}
    assert rows["clipped"] == "3 of 3 steps"
    assert rows["precision"] in ("float32", "bfloat16")
    assert lambent(*train, tmp_path / "1", *tight, "--json").figures["clipped"] == 3
    loose = lambent(*train, tmp_path / "2", "--train.clip_norm=1e9", "--json")
    assert "clipped" not in loose.figures
    assert loose.figures["steps"] == 3


def test_steps_inside_the_backward_pass(lambent: Run, tmp_path: Path) -> None:
    train = ("train", "--data", "digits", *TINY, *FEW, "--train.optimizer_in_backward=true")
    refused = lambent(*train, "--out", tmp_path / "run")
    assert refused.code == 2
    assert "clip_norm: expected null with optimizer_in_backward" in refused.err
    assert len(refused.err.splitlines()) == 1
    assert not (tmp_path / "run").exists()
    done = lambent(*train, "--out", tmp_path / "run", "--train.clip_norm=null", "--json")
    assert done.code == 0, done.err
    assert done.figures["steps"] == 3


def test_precision_is_a_choice(lambent: Run, tmp_path: Path) -> None:
    train = ("train", "--data", "digits", *TINY, *FEW, "--out", tmp_path / "run", "--json")
    refused = lambent(*train, "--train.precision=half")
    assert refused.code == 2
    assert "bfloat16" in refused.err
    done = lambent(*train, "--train.precision=bfloat16")
    assert done.figures["precision"] == "bfloat16"
