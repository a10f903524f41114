"""Image-to-image tasks from the command line."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from .conftest import Run, Trained, answer

SETTINGS = (
    *("--model.steps", 1, "--model.width", 8, "--model.context_features", 4, "--device", "cpu"),
    *("--train.batch_size", 32, "--train.validate_every", 10, "--train.warmup_steps", 0),
)


@pytest.fixture(scope="module")
def task(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """A Glow for digits of half the size, hardly trained."""
    path = tmp_path_factory.mktemp("cli") / "superres"
    asked = ["train", "--task", "superres:2", "--data", "digits", "--out", path, "--json"]
    said = answer([*asked, *SETTINGS, "--train.max_steps", 20, "--data-validation", 0.2])
    assert said.code == 0, said.err
    return Trained(path, said)


def test_the_run_says_its_task(task: Trained) -> None:
    config = json.loads((task.path / "model/config.json").read_text())["config"]
    assert (config["task"], config["conditioning"]) == ("superres:2", "image")
    assert "given the image" in task.answer.figures["reading"]
    assert len(list((task.path / "samples").glob("*.png"))) == 2


def test_evaluate(task: Trained, lambent: Run) -> None:
    figures = lambent("evaluate", task.path, "--data", "digits", "--json").figures
    assert figures["given"] == "image"
    assert figures["bits_per_dim"] == pytest.approx(task.answer.figures["bits_per_dim"])
    assert figures["consistency_images"] == 256
    assert 0 < figures["consistency_psnr"] < 60


def test_sample_shows_input_draws_and_image(task: Trained, lambent: Run, tmp_path: Path) -> None:
    out = tmp_path / "s.png"
    said = lambent("sample", task.path, "--rows=0,5,9", "--n=2", "--out", out, "--json")
    assert said.figures["inputs"] == 3
    assert said.figures["images"] == 6
    assert 0 < said.figures["consistency_psnr"] < 60
    shown = np.asarray(Image.open(out))
    scale = shown.shape[0] // (3 * 9 + 1)
    cells = shown[::scale, ::scale][1:10, 1:37].reshape(9, 4, 9)[:8, :, :8]
    low, image = cells[:, 0].astype(int), cells[:, 3].astype(int)
    means = (image.reshape(4, 2, 4, 2).sum((1, 3)) + 2) // 4
    assert (low[::2, ::2] == means).all()
    assert (cells[:, 1] != cells[:, 2]).any()


def test_more_commands_take_it(task: Trained, lambent: Run, tmp_path: Path) -> None:
    pictures = ("--data", "digits", "--n", 20, "--out", tmp_path / "r.png", "--json")
    assert lambent("reconstruct", task.path, *pictures).figures["exact_images"] == 20
    scores = ("--data", "digits", "--out", tmp_path / "s.npz", "--json")
    bits = lambent("score", task.path, *scores).figures["bits_per_dim"]
    assert bits == pytest.approx(task.answer.figures["bits_per_dim"])
    checked = lambent("info", task.path, "--check", "--data", "digits", "--n", 4, "--json")
    assert checked.figures["verdict"] == "clean", checked


def test_it_goes_on(task: Trained, lambent: Run) -> None:
    asked = ("train", "--config", task.path / "config.yaml", "--out", task.path, "--resume")
    said = lambent(*asked, "--train.max_steps", 25, "--json", "--device", "cpu")
    assert said.figures["steps"] == 25


def test_label_and_image(lambent: Run, tmp_path: Path) -> None:
    out = tmp_path / "both"
    asked = ("train", "--task=inpaint:4:random", "--model.conditioning=both", "--data=digits")
    said = lambent(*asked, *SETTINGS, "--train.max_steps=10", "--out", out, "--json")
    assert said.figures["given"] == "label and image"
    drawn = lambent("sample", out, "--label=3", "--rows=1", "--out", tmp_path / "s.png", "--json")
    assert drawn.figures["label"] == 3


def test_of_a_model_folder_the_set_must_be_named(task: Trained, lambent: Run) -> None:
    alone = task.path / "model"
    said = lambent("sample", alone, "--out", task.path / "s.png")
    assert said.code == 2
    assert "data: the model is conditional on images; expected a set to make its" in said.err
    assert lambent("sample", alone, "--data=digits", "--out", task.path / "s.png").code == 0
