"""The studies, run small: each puts out a figure and its numbers."""

from __future__ import annotations

import json
import re
import runpy
import sys
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

ROOT = Path(__file__).parent.parent
STUDIES = ROOT / "examples" / "studies"
PAGE = (ROOT / "docs" / "studies.md").read_text()
NAMES = ("construction", "depth", "fitting", "padding", "partitions", "wasserstein")


def run(name: str, out: Path) -> dict[str, Any]:
    """The numbers of a quick run."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(STUDIES))  # where their shared files are
        patch.setattr(sys, "argv", [f"{name}.py", "--quick", "--out", str(out)])
        runpy.run_path(str(STUDIES / f"{name}.py"), run_name="__main__")
    with Image.open(out / f"{name}.png") as picture:
        assert picture.width > 400
    found = json.loads((out / f"{name}.json").read_text())
    assert found["quick"]
    assert isinstance(found, dict)
    return found


def recorded(name: str) -> dict[str, Any]:
    """The numbers that the documentation has."""
    found = json.loads((ROOT / "docs" / "studies" / f"{name}.json").read_text())
    assert not found["quick"]
    assert isinstance(found, dict)
    return found


def test_every_study_is_on_the_page_with_its_command() -> None:
    assert set(re.findall(r"python examples/studies/(\w+)\.py", PAGE)) == set(NAMES)
    assert set(re.findall(r"!\[[^]]*\]\(studies/(\w+)\.png\)", PAGE)) == set(NAMES)
    scripts = {p.stem for p in STUDIES.glob("*.py") if "__main__" in p.read_text()}
    assert scripts == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_the_page_has_what_a_full_run_found(name: str) -> None:
    assert (ROOT / "docs" / "studies" / f"{name}.png").stat().st_size > 10_000
    assert recorded(name)


def test_the_construction(tmp_path: Path) -> None:
    found = run("construction", tmp_path)
    rows = found["construction"]
    assert rows["normal, best of 20"]["4"]["largest"] < 2e-11
    assert rows["normal, best of 20"]["4"]["couplings"] == [16]
    assert found["mirrors"]["mirror"]["error_least"] > found["mirrors"]["floor"]


def test_the_fits(tmp_path: Path) -> None:
    found = run("fitting", tmp_path)
    assert all(row["4"]["best"] < row["2"]["best"] for row in found["errors"].values())


def test_the_partitions(tmp_path: Path) -> None:
    found = run("partitions", tmp_path)
    assert all(1 < bits[0] < 5 for row in found["bits_per_dim"].values() for bits in row.values())


def test_the_padding(tmp_path: Path) -> None:
    arms = run("padding", tmp_path)["toys"]["crescents"]
    assert arms["zeros"]["nll"] is None
    for arm in ("none", "noise"):
        assert arms[arm]["nll"] < 3
        assert arms[arm]["path"][-1]["data"] > arms[arm]["path"][0]["data"] - 1e-9


def test_the_explicit_approximation(tmp_path: Path) -> None:
    wide, narrow = run("wasserstein", tmp_path)["rows"]
    assert narrow["distance"] < wide["distance"] / 2
    assert narrow["condition_median"] > 3 * wide["condition_median"]
    assert wide["round_trip"] < 1e-9


def test_gradients_and_depth(tmp_path: Path) -> None:
    found = run("depth", tmp_path)["largest_over_smallest"]
    assert found["with actnorm"]["4"] < found["without actnorm"]["4"]


def test_what_the_page_says_was_seen() -> None:
    """Its statements, of the numbers that full runs left."""
    best = recorded("construction")["construction"]["normal, best of 20"]
    assert all(best[n]["largest"] <= 2e-11 and best[n]["couplings"] == [16] for n in ("4", "6"))
    mirror = recorded("construction")["mirrors"]["mirror"]
    assert mirror["error_least"] > 0.5
    assert mirror["condition_median"] > 1e6
    for row in recorded("fitting")["errors"].values():
        assert row["2"]["best"] > 0.2
        assert row["16"]["best"] < 1e-3
    bits = recorded("partitions")["bits_per_dim"]
    assert all(
        max(bits["shuffled"]["8"]) < min(bits[arm]["8"]) for arm in bits if arm != "shuffled"
    )
    for arms in recorded("padding")["toys"].values():
        last = {arm: found["path"][-1]["data"] for arm, found in arms.items()}
        assert last["zeros"] > 10 * max(last["none"], last["noise"])
        assert arms["zeros"]["mmd"] > max(arms["none"]["mmd"], arms["noise"]["mmd"])
    rows = recorded("wasserstein")["rows"]
    assert rows[-1]["distance"] < rows[0]["distance"] / 10
    assert rows[-1]["condition_median"] > 50 * rows[0]["condition_median"]
    norms = recorded("depth")["gradient_norms"]
    assert norms["without actnorm"]["32"][0] > 1e15 * norms["without actnorm"]["4"][0]
    assert norms["with actnorm"]["32"][0] < 10 * norms["with actnorm"]["4"][0]


def test_the_page_runs() -> None:
    (block,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    exec(compile(block, "studies.md", "exec"), {})
