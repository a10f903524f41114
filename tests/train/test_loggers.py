from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from lambent import Flow, Images, TrainConfig, fit
from lambent.errors import MissingExtraError

NewFlow = Callable[..., Flow]
Quick = Callable[..., TrainConfig]


@pytest.mark.parametrize("names", [(), ("tensorboard",)])
def test_tensorboard_by_name(
    names: tuple[str, ...],
    new_flow: NewFlow,
    images: Images,
    held_out: Images,
    quick: Quick,
    tmp_path: Path,
) -> None:
    fit(new_flow(), images, held_out, config=quick(loggers=names), out=tmp_path)
    assert (tmp_path / "metrics.csv").is_file()
    assert (tmp_path / "tensorboard").is_dir() == bool(names)


@pytest.mark.slow
@pytest.mark.filterwarnings("default")
def test_weights_and_biases_by_name(
    new_flow: NewFlow,
    images: Images,
    held_out: Images,
    quick: Quick,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A resumed run goes on under the same identity."""
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.setenv("WANDB_SILENT", "true")
    for steps in (10, 20):
        config = quick(loggers=("wandb",), max_steps=steps)
        fit(new_flow(), images, held_out, config=config, out=tmp_path, resume=steps > 10)
    key = (tmp_path / "wandb/id").read_text()
    records = [path.name for path in (tmp_path / "wandb").glob("offline-run-*/run-*.wandb")]
    assert records
    assert set(records) == {f"run-{key}.wandb"}
    assert all(path.stat().st_size > 1000 for path in (tmp_path / "wandb").glob("*/run-*.wandb"))


@pytest.mark.slow
def test_weights_and_biases_without_a_key(tmp_path: Path) -> None:
    """A process of its own: the package remembers how it was last used."""
    command = (
        "train --data digits --model.steps 1 --model.width 8 --train.loggers [wandb] --out run"
    )
    hidden = {key: value for key, value in os.environ.items() if not key.startswith("WANDB")}
    done = subprocess.run(
        [sys.executable, "-m", "lambent.cli", *command.split()],
        env={**hidden, "HOME": str(tmp_path), "WANDB_SILENT": "true"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "error: loggers: expected Weights & Biases to take the run, or WANDB" in done.stderr
    assert "API key" in done.stderr
    assert "Traceback" not in done.stderr


def test_says_what_to_install(
    new_flow: NewFlow,
    images: Images,
    held_out: Images,
    quick: Quick,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("lambent.train.loggers.find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"pip install 'lambent\[wandb\]'"):
        fit(new_flow(), images, held_out, config=quick(loggers=("wandb",)), out=tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_deterministic_mode_is_left_as_it_was_found(
    new_flow: NewFlow, images: Images, held_out: Images, quick: Quick, tmp_path: Path
) -> None:
    class Asking(Images):
        found = False

        def __getitem__(self, index: object) -> object:  # type: ignore[override]
            Asking.found = torch.are_deterministic_algorithms_enabled()
            return super().__getitem__(index)  # type: ignore[call-overload]

    asking = Asking(images.images, images.labels, grey_levels=4)
    fit(new_flow(), asking, held_out, config=quick(deterministic=True), out=tmp_path)
    assert Asking.found
    assert not torch.are_deterministic_algorithms_enabled()
