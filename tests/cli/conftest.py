from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from lambent import GlowConfig, glow, save, seeded
from lambent.cli import main


@pytest.fixture(autouse=True)
def _on_the_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """The figures compared here are drawn by one generator: auto means the CPU."""
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    monkeypatch.setattr("torch.backends.mps.is_available", lambda: False)


@dataclass(frozen=True)
class Answer:
    """What a command left on its three ways out."""

    code: int
    out: str
    err: str

    @property
    def figures(self) -> dict[str, Any]:
        """The one JSON object on standard output."""
        lines = self.out.splitlines()
        assert len(lines) == 1, self.out
        found = json.loads(lines[0])
        assert isinstance(found, dict)
        return found


Run = Callable[..., Answer]


def answer(arguments: Sequence[object]) -> Answer:
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main([str(argument) for argument in arguments])
    return Answer(code, out.getvalue(), err.getvalue())


@pytest.fixture(scope="session")
def lambent() -> Run:
    """Run a command in this process."""
    return lambda *arguments: answer(arguments)


@dataclass(frozen=True)
class Trained:
    """A run made by the command line, and what the command said."""

    path: Path
    answer: Answer


TINY = ("--model.steps", 1, "--model.width", 8, "--model.class_features", 4, "--device", "cpu")


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """A class-conditional Glow on digits, hardly trained."""
    path = tmp_path_factory.mktemp("cli") / "digits"
    arguments = ["train", "--model", "glow", "--data", "digits", "--out", path, *TINY, "--json"]
    arguments += ["--model.conditioning", "strong", "--data-validation", 0.2]
    arguments += ["--train.batch_size", 32, "--train.max_steps", 30, "--train.validate_every", 15]
    said = answer([*arguments, "--train.warmup_steps=0"])
    assert said.code == 0, said.err
    return Trained(path, said)


@pytest.fixture(scope="session")
def run(trained: Trained) -> Path:
    """The run folder of a class-conditional Glow on digits."""
    return trained.path


@pytest.fixture(scope="session")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model folder, not a run, of an unconditional Glow for 8 x 8 grey images."""
    path = tmp_path_factory.mktemp("cli") / "plain"
    with seeded(0):
        save(glow(GlowConfig(shape=(1, 8, 8), grey_levels=17, steps=1, width=8)), path)
    return path


@pytest.fixture(scope="session")
def inpainter(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model folder of a Glow for 8 x 8 grey images, given what is left of each."""
    path = tmp_path_factory.mktemp("cli") / "inpainter"
    config = GlowConfig(
        shape=(1, 8, 8), grey_levels=17, steps=1, width=8, conditioning="image", task="inpaint:4"
    )
    with seeded(0):
        save(glow(config), path)
    return path


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve colour pictures of 8 x 8 without classes."""
    folder = tmp_path_factory.mktemp("cli") / "pictures"
    folder.mkdir()
    draw = np.random.default_rng(0)
    for index in range(12):
        pixels = draw.integers(0, 256, (8, 8, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{index:02}.png")
    return folder


@pytest.fixture(scope="session")
def two_digits(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Two pictures of the model's size, at 17 grey levels."""
    folder = tmp_path_factory.mktemp("cli")
    paths = folder / "a.png", folder / "b.png"
    generator = torch.Generator().manual_seed(0)
    for path in paths:
        levels = torch.randint(0, 17, (8, 8), generator=generator)
        Image.fromarray(((256 * levels + 16) // 17).to(torch.uint8).numpy()).save(path)
    return paths
