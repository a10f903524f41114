from __future__ import annotations

import platform
from pathlib import Path

import pytest
import torch
import yaml

from lambent.store import RunFolder


def test_settings_come_back_with_the_versions(tmp_path: Path) -> None:
    run = RunFolder(tmp_path / "a/run")
    settings = {"model": {"family": "glow", "shape": [1, 8, 8]}, "train": {"x": 1e-5}, "seed": 3}
    run.write_config(settings)
    found = run.read_config()
    versions = found.pop("versions")
    assert found == settings
    assert list(found) == ["model", "train", "seed"]
    assert versions["python"] == platform.python_version()
    assert versions["torch"] == torch.__version__
    assert set(versions) == {"python", "lambent", "torch", "lightning", "numpy"}
    assert [p.name for p in run.path.iterdir()] == ["config.yaml"]


def test_a_new_run(tmp_path: Path) -> None:
    RunFolder(tmp_path / "nowhere").check_new()
    (tmp_path / "notes.txt").touch()
    RunFolder(tmp_path).check_new()
    with pytest.raises(ValueError, match=r"^out: expected a folder, got the file .*notes\.txt"):
        RunFolder(tmp_path / "notes.txt").check_new()


@pytest.mark.parametrize("name", ["config.yaml", "checkpoints/last.ckpt"])
def test_a_run_that_is_there(name: str, tmp_path: Path) -> None:
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).touch()
    with pytest.raises(ValueError, match=r"^out: .* holds a run already; .*--resume"):
        RunFolder(tmp_path).check_new()


def test_refuses_what_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ValueError, match=r"^out: expected a folder that can be written, got"):
        RunFolder(tmp_path / "file/run").write_config({})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (None, r"expected a run folder, found no config\.yaml"),
        ("a: [1", r"config\.yaml: expected YAML, got: "),
        ("- 1", r"config\.yaml: expected a mapping"),
        ("data: digits", r"config\.yaml: expected a mapping in 'data'"),
        ("train: [1]", r"config\.yaml: expected a mapping in 'train'"),
    ],
)
def test_refuses_what_cannot_be_read(text: str | None, expected: str, tmp_path: Path) -> None:
    if text is not None:
        (tmp_path / "config.yaml").write_text(text)
    with pytest.raises(ValueError, match=expected):
        RunFolder(tmp_path).read_config()


def test_settings_run_no_code(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("seed: !!python/object/apply:os.getpid []\n")
    with pytest.raises(ValueError, match=r"expected YAML"):
        RunFolder(tmp_path).read_config()
    with pytest.raises(yaml.YAMLError):
        RunFolder(tmp_path).write_config({"seed": object()})
