from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import lambent

# Third parties that take long to import, and are not needed to build a flow.
SLOW = (
    "lightning",
    "datasets",
    "sklearn",
    "scipy",
    "matplotlib",
    "jsonargparse",
    "rich",
    "pyarrow",
)


def run(script: str) -> str:
    """What a script prints in a fresh interpreter."""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_importing_is_cheap() -> None:
    assert run("import lambent, sys; print('torch' in sys.modules)") == "False"
    slow = f"sorted(set(sys.modules) & set({SLOW}))"
    assert run(f"import lambent, sys; lambent.glow; print({slow})") == "[]"
    assert run(f"import lambent, sys; lambent.load; print({slow})") == "[]"


def test_public_names() -> None:
    for name in lambent.__all__:
        value = getattr(lambent, name)
        assert value.__name__ == name
        assert value.__module__.startswith("lambent.")
        assert name in dir(lambent)
    with pytest.raises(AttributeError, match="module 'lambent' has no attribute 'glwo'"):
        lambent.glwo  # noqa: B018


def test_type_checkers_see_the_same_names() -> None:
    tree = ast.parse(Path(lambent.__file__).read_text())
    (block,) = (node for node in tree.body if isinstance(node, ast.If))
    rooms = {
        alias.asname: node.module.removeprefix("lambent.")
        for node in block.body
        if isinstance(node, ast.ImportFrom) and node.module
        for alias in node.names
    }
    assert rooms == lambent._ROOM


def test_importing_changes_nothing_of_torch() -> None:
    """Every module, the training and the command line among them."""
    script = """
import importlib, pkgutil, signal
import torch

def state():
    backends = torch.backends
    return {
        "dtype": torch.get_default_dtype(),
        "device": torch.get_default_device(),
        "threads": (torch.get_num_threads(), torch.get_num_interop_threads()),
        "grad": torch.is_grad_enabled(),
        "anomaly": torch.is_anomaly_enabled(),
        "deterministic": torch.are_deterministic_algorithms_enabled(),
        "precision": torch.get_float32_matmul_precision(),
        "flush": torch.tensor([1e-310], dtype=torch.float64).mul(1.0).item(),
        "backends": (backends.mkldnn.enabled, backends.cudnn.enabled, backends.cudnn.benchmark,
                     backends.cudnn.deterministic, backends.cuda.matmul.allow_tf32),
        "autocast": (torch.is_autocast_enabled("cpu"), torch.is_autocast_cache_enabled()),
        "generator": torch.get_rng_state().tolist(),
        "print": str(torch.tensor(1 / 3)),
        "sharing": torch.multiprocessing.get_sharing_strategy(),
        "interrupt": signal.getsignal(signal.SIGINT),
    }

before = state()
import lambent
for module in pkgutil.walk_packages(lambent.__path__, "lambent."):
    importlib.import_module(module.name)
after = state()
print([name for name in before if before[name] != after[name]])
"""
    assert run(script) == "[]"


def test_sources_keep_to_the_grammar_of_the_oldest_python() -> None:
    sources = sorted(Path(lambent.__file__).parent.rglob("*.py"))
    assert len(sources) > 100
    for path in sources:
        ast.parse(path.read_text(), str(path), feature_version=(3, 11))


def test_is_typed() -> None:
    assert (Path(lambent.__file__).parent / "py.typed").is_file()
