"""The wheel, in a fresh environment that has the base dependencies and nothing else."""

from __future__ import annotations

import importlib.metadata
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from PIL import Image

ROOT = Path(__file__).parent.parent
EXTRAS = ("lightning", "pytorch_lightning", "matplotlib", "sklearn", "datasets", "tensorboard")

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this source tree."""
    folder = tmp_path_factory.mktemp("wheel")
    options = ("--no-deps", "--no-build-isolation", "--no-cache-dir", "--quiet", "-w", folder)
    subprocess.run([sys.executable, "-m", "pip", "wheel", *options, ROOT], check=True)
    (built,) = folder.glob("*.whl")
    return built


def base_dependencies() -> set[str]:
    """The distributions that the base install brings, by what the installed ones ask for."""
    found: set[str] = set()
    waiting = [Requirement(r) for r in importlib.metadata.requires("lambent") or ()]
    while waiting:
        asked = waiting.pop()
        wanted = [{"extra": extra} for extra in ("", *asked.extras)]
        if asked.marker and not asked.marker.evaluate({"extra": ""}):
            continue
        seen = asked.name in found
        found.add(asked.name)
        for line in importlib.metadata.requires(asked.name) or () if not seen else ():
            inner = Requirement(line)
            if inner.marker is None or any(inner.marker.evaluate(w) for w in wanted):
                inner.marker = None
                waiting.append(inner)
    return found


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The scripts of a fresh environment: the wheel, and links to the base dependencies."""
    place = tmp_path_factory.mktemp("fresh")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", place / "venv"], check=True)
    python = place / "venv/bin/python"
    pip = (sys.executable, "-m", "pip", "--python", python, "install", "--no-deps", "--quiet")
    subprocess.run([*pip, "--no-index", wheel], check=True)
    base = place / "base"
    base.mkdir()
    for name in base_dependencies():
        distribution = importlib.metadata.distribution(name)
        tops = {file.parts[0] for file in distribution.files or ()} - {"..", "__pycache__"}
        for top in tops:
            if not (base / top).exists():
                (base / top).symlink_to(Path(str(distribution.locate_file(top))))
    (packages,) = (place / "venv/lib").glob("python*/site-packages")
    (packages / "base.pth").write_text(f"{base}\n")
    return python.parent


def ask(installed: Path, cwd: Path, program: str, *arguments: str, fails: bool = False) -> str:
    """Run a program of the fresh environment; its standard output, or its error where it fails."""
    left_out = ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV")
    environment = {k: v for k, v in os.environ.items() if k not in left_out}
    said = subprocess.run(
        [installed / program, *arguments],
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert said.returncode == (2 if fails else 0), said.stderr
    return said.stderr if fails else said.stdout


def test_what_the_wheel_holds(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        sizes = {info.filename: info.file_size for info in archive.infolist()}
        (metadata,) = (n for n in names if n.endswith(".dist-info/METADATA"))
        facts = archive.read(metadata).decode()
    source = ROOT / "src/lambent"
    presets = {f"lambent/configs/{path.name}" for path in (source / "configs").glob("*.yaml")}
    demo = {
        f"lambent/pretrained/digits-demo/{name}"
        for name in ("config.json", "config.yaml", "model.safetensors", "README.md")
    }
    assert presets
    assert {"lambent/py.typed", "lambent/__init__.py", *presets, *demo} <= names
    modules = {path.relative_to(ROOT / "src").as_posix() for path in source.rglob("*.py")}
    assert modules == {name for name in names if name.endswith(".py")}
    assert {name.split("/")[0].split("-")[0] for name in names} == {"lambent"}
    assert sum(sizes[name] for name in demo) < 1_500_000
    assert "Requires-Python: >=3.11" in facts
    for minor in (11, 12, 13):
        assert f"Classifier: Programming Language :: Python :: 3.{minor}" in facts


def test_the_demo_runs_on_the_base_dependencies(installed: Path, tmp_path: Path) -> None:
    ask(installed, tmp_path, "lambent", "sample", "digits-demo", "--n", "64", "--out", "s.png")
    with Image.open(tmp_path / "s.png") as picture:
        low, high = picture.convert("L").getextrema()
        assert picture.width > 60
        assert picture.height > 60
    assert high - low > 200
    version = importlib.metadata.version("lambent")
    assert ask(installed, tmp_path, "lambent", "--version") == f"lambent {version}\n"
    facts = json.loads(ask(installed, tmp_path, "lambent", "info", "digits-demo", "--json"))
    assert facts["family"] == "glow"
    assert facts["data"]["name"] == "digits"


def test_training_says_which_extra_it_needs(installed: Path, tmp_path: Path) -> None:
    arguments = ("train", "--data", "digits", "--out", "run")
    said = ask(installed, tmp_path, "lambent", *arguments, fails=True)
    assert said == (
        "lambent train: error: this needs the package 'lightning', which is not installed: "
        "pip install 'lambent[train]'\n"
    )


def test_the_demo_loads_in_python(installed: Path, tmp_path: Path) -> None:
    program = f"""
import importlib.util, json, lambent, torch
flow = lambent.load("digits-demo")
with lambent.seeded(0):
    x = flow.sample(None, torch.arange(4))
bits = -flow.log_prob(x, torch.arange(4)) / (64 * torch.tensor(2.0).log())
there = [name for name in {EXTRAS} if importlib.util.find_spec(name)]
print(json.dumps([lambent.__file__, list(x.shape), str(x.dtype), there, bits.mean().item()]))
"""
    answer = json.loads(ask(installed, tmp_path, "python", "-c", program))
    where, shape, dtype, extras, bits = answer
    assert Path(where).is_relative_to(installed.parent)
    assert (shape, dtype, extras) == ([4, 1, 8, 8], "torch.uint8", [])
    assert 0.5 < bits < 3
