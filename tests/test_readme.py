"""What the README and the examples say works."""

import re
import runpy
import shlex
import sys
from pathlib import Path

import pytest

from lambent.cli import main

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()


def test_the_python_block_of_the_readme_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (block,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    quick = block.replace("max_steps=200", "max_steps=3")
    assert quick != block
    monkeypatch.chdir(tmp_path)
    exec(compile(quick, "README.md", "exec"), {})
    assert (tmp_path / "digits-model" / "model.safetensors").is_file()


def test_the_commands_of_the_readme_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    commands = [shlex.split(line) for line in re.findall(r"^lambent (.*)$", README, re.MULTILINE)]
    assert [command[0] for command in commands][:3] == ["sample", "train", "evaluate"]
    monkeypatch.chdir(tmp_path)
    for command in commands:
        quick = ["--train.max_steps=3", "--model.width=8"] if command[0] == "train" else []
        assert main([*command, *quick]) == 0, command
    assert (tmp_path / "s.png").is_file()
    assert (tmp_path / "grid.png").is_file()
    assert (tmp_path / "both.png").is_file()


def test_the_ten_line_example_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["ten_lines.py", "--steps", "3", "--out", str(tmp_path / "m")])
    runpy.run_path(str(ROOT / "examples" / "ten_lines.py"), run_name="__main__")
    assert "decodes exactly: True" in capsys.readouterr().out


def test_the_page_of_surjections_runs() -> None:
    page = (ROOT / "docs" / "surjections.md").read_text()
    names: dict[str, object] = {}
    for block in re.findall(r"```python\n(.*?)```", page, re.DOTALL):
        exec(compile(block, "surjections.md", "exec"), names)
    assert "pool" in names


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # what sbi's imports say
def test_the_page_of_estimators_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # sbi leaves its logs where it runs
    page = (ROOT / "docs" / "estimators.md").read_text()
    names: dict[str, object] = {}
    for block in re.findall(r"```python\n(.*?)```", page, re.DOTALL):
        exec(compile(block, "estimators.md", "exec"), names)
    assert "regression" in names


@pytest.mark.slow
def test_the_example_of_symmetry_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(
        sys, "argv", ["symmetry.py", "--steps", "2", "--out", str(tmp_path / "s.png")]
    )
    runpy.run_path(str(ROOT / "examples" / "symmetry.py"), run_name="__main__")
    assert capsys.readouterr().out.count("nats short of the truth") == 4
    assert (tmp_path / "s.png").is_file()
