"""``lambent bench tabular`` on small tables in the published files."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
import torch

from lambent import load
from lambent.cli.presets import presets
from lambent.cli.tabular import checks, plan
from lambent.cli.tabular.leaderboard import GAUSSIAN, LEADERBOARD, TABLES
from lambent.cli.tabular.page import page
from lambent.data.published import PUBLISHED, Splits, find_published, load_published
from lambent.train import TrainConfig, fit

from ..published_files import (
    write_bsds300,
    write_gas,
    write_hepmass,
    write_miniboone,
    write_power,
)
from .conftest import Run

PAGE = Path(__file__).parents[2] / "docs/benchmarks/published.md"
SHORT = ("--train.max_steps=8", "--train.validate_every=4", "--device=cpu")


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two of the five tables."""
    root = tmp_path_factory.mktemp("published")
    write_power(root)
    write_gas(root)
    return root


@pytest.fixture(scope="module")
def power(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One of the five tables."""
    root = tmp_path_factory.mktemp("published")
    write_power(root)
    return root


def splits_of(root: Path, name: str) -> Splits:
    return load_published(name, find_published(root)[name])


def results_of(out: Path) -> dict[str, Any]:
    found = json.loads((out / "results.json").read_text())
    assert isinstance(found, dict)
    return found


def test_from_files_to_a_table(lambent: Run, root: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    asked = ("bench", "tabular", "--root", root, "--out", out, "--unpublished")
    said = lambent(*asked, "--families", "made", "--seeds=0,3", *SHORT, "--json")
    assert said.code == 0, said.err
    assert said.figures == results_of(out)
    lines = said.err.splitlines()
    missing = [line for line in lines if "left out" in line]
    assert len(missing) == 1
    assert "hepmass (hepmass/1000_train.csv and hepmass/1000_test.csv)" in missing[0]
    assert "miniboone (miniboone/data.npy), bsds300 (BSDS300/BSDS300.hdf5)" in missing[0]
    assert "power" not in missing[0]
    cells = said.figures["cells"]
    assert list(cells) == [f"{table}/made/{seed}" for table in ("power", "gas") for seed in (0, 3)]
    for key, cell in cells.items():
        test = splits_of(root, key.split("/")[0]).test.rows
        with torch.no_grad():
            nats = load(out / "runs" / key / "model").log_prob(test).double()
        assert cell["log_likelihood"] == pytest.approx(float(nats.mean()), abs=1e-4)
        error = float(nats.std() / math.sqrt(len(nats)))
        assert cell["standard_error"] == pytest.approx(error, rel=1e-4)
        assert cell["steps"] == 8
        assert cell["settings"]["train"]["validation_images"] == 10_000
    assert cells["power/made/0"]["log_likelihood"] != cells["power/made/3"]["log_likelihood"]
    check_the_normal(said.figures["tables"]["power"], splits_of(root, "power"))
    check_the_page((out / "results.md").read_text(), cells)


def check_the_normal(found: dict[str, Any], splits: Splits) -> None:
    train, test = (table.rows.double() for table in (splits.train, splits.test))
    normal = torch.distributions.MultivariateNormal(train.mean(0), train.T.cov(correction=0))
    assert found["log_likelihood"] == pytest.approx(float(normal.log_prob(test).mean()), abs=1e-8)
    assert (found["published"], found["agrees"]) == (-7.74, False)
    assert found["rows"] == {"train": 324, "validation": 36, "test": 40}


def check_the_page(text: str, cells: dict[str, Any]) -> None:
    made = cells["gas/made/3"]
    figure = f"{made['log_likelihood']:.2f} ± {2 * made['standard_error']:.2f}"
    line = next(line for line in text.splitlines() if line.startswith("| `made`, seed 3"))
    assert line.split(" | ")[2] == figure
    assert text.index("normal, full covariance") < text.index("`made`")  # the first row
    assert "POWER (6) † | GAS (8) † | HEPMASS (21) |" in text
    assert "the normal's figure is not the published one" in text


def test_a_finished_cell_is_not_run_again(
    lambent: Run, power: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    asked = ("bench", "tabular", "--root", power, "--out", out, "--unpublished", *SHORT, "--json")
    first = lambent(*asked, "--families=made")
    assert first.code == 0, first.err
    ran: list[str] = []
    run_cell = plan.run_cell
    monkeypatch.setattr(
        plan, "run_cell", lambda cell, *rest: (ran.append(cell.key), run_cell(cell, *rest))[1]
    )
    second = lambent(*asked, "--families=made,planar")
    assert ran == ["power/planar/0"]
    assert {k: v for k, v in second.figures["cells"].items() if "made" in k} == first.figures[
        "cells"
    ]

    # One that was trained but not written down is measured; another is gone on with.
    results = results_of(out)
    lost = results["cells"].pop("power/made/0")
    (out / "results.json").write_text(json.dumps(results))
    ran.clear()
    third = lambent(*asked, "--families=made,planar")
    assert ran == ["power/made/0"]
    assert third.figures["cells"]["power/made/0"]["log_likelihood"] == lost["log_likelihood"]

    said = lambent(*asked, "--families=made", "--train.max_steps=9")
    assert said.code == 2
    assert said.err.count("\n") == 1
    assert "out: expected the settings that power/made/0 was finished with" in said.err
    assert "train.max_steps 8 (now 9)" in said.err


def test_an_interrupted_cell_goes_on(
    lambent: Run, power: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From its last checkpoint, to the figure of one that was not."""
    asked = ("bench", "tabular", "--root", power, "--unpublished", "--families=made", *SHORT)
    whole = lambent(*asked, "--out", tmp_path / "whole", "--json").figures["cells"]
    out = tmp_path / "out"

    def stopped(*arguments: Any, config: TrainConfig, **others: Any) -> None:
        import dataclasses

        fit(*arguments, config=dataclasses.replace(config, max_steps=4), **others)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("lambent.cli.tabular.cells.fit", stopped)
        assert lambent(*asked, "--out", out).code == 130
    assert results_of(out)["cells"] == {}
    again = lambent(*asked, "--out", out, "--json")
    assert again.code == 0, again.err
    cell = again.figures["cells"]["power/made/0"]
    assert cell["steps"] == 8
    assert cell["standard_error"] > 0
    # The cosine ends at max_steps, so the first four steps were not those of the whole run.
    assert cell["log_likelihood"] == pytest.approx(
        whole["power/made/0"]["log_likelihood"], abs=0.05
    )


def test_a_cell_that_fails_leaves_the_others(
    lambent: Run, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_cell = plan.run_cell

    def fails_on_power(cell: Any, *rest: Any) -> Any:
        if cell.table == "power":
            raise FloatingPointError("loss is nan at step 3")
        return run_cell(cell, *rest)

    monkeypatch.setattr(plan, "run_cell", fails_on_power)
    out = tmp_path / "out"
    said = lambent(
        "bench", "tabular", "--root", root, "--out", out, "--unpublished", "--families=made", *SHORT
    )
    assert said.code == 1
    assert "power/made/0 failed, and is tried again by the next call: loss is nan" in said.err
    assert list(results_of(out)["cells"]) == ["gas/made/0"]
    assert "`made`" in said.out
    assert "Gaussian, Papamakarios et al. 2017" in said.out


def test_the_check_alone(lambent: Run, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = ("bench", "tabular", "--root", root, "--check")
    refused = lambent(*asked)
    assert refused.code == 2
    assert "more than 0.05 nats from its published figure on power" in refused.err
    found = lambent(*asked, "--unpublished", "--json").figures
    assert list(found) == ["power", "gas"]
    # Tables whose normal has the published figure are the published ones.
    near = {
        "power": found["power"]["log_likelihood"] + 0.049,
        "gas": found["gas"]["log_likelihood"] - 0.049,
    }
    monkeypatch.setattr(checks, "reported", lambda row, name: near[name])
    agreed = lambent(*asked, "--json")
    assert agreed.code == 0
    assert [agreed.figures[name]["agrees"] for name in near] == [True, True]
    near["gas"] -= 0.01
    assert lambent(*asked).code == 2


def test_what_was_published() -> None:
    """The normal's row is what each table is held against; every row has a figure a table."""
    assert GAUSSIAN.figures == (-7.74, -3.58, -27.93, -37.24, 96.67)
    assert list(PUBLISHED) == list(TABLES)
    assert all(len(row.figures) == len(TABLES) for row in LEADERBOARD)
    assert len({(row.name, row.source) for row in LEADERBOARD}) == len(LEADERBOARD)


def test_the_page_in_the_docs_is_the_table_without_cells() -> None:
    table = [line for line in page({}, {}).splitlines() if line.startswith("|")]
    assert "\n".join(table) in PAGE.read_text()


def test_every_family_has_a_preset() -> None:
    assert {f"{name}_table" for name in plan.FAMILIES} <= set(presets())


def test_a_time_limit_bounds_each_cell(lambent: Run, power: Path, tmp_path: Path) -> None:
    said = lambent(
        *("bench", "tabular", "--root", power, "--out", tmp_path, "--unpublished", "--json"),
        *("--families=made", "--max-seconds=0.5", "--train.max_steps=100000", "--device=cpu"),
    )
    assert said.code == 0, said.err
    for cell in said.figures["cells"].values():
        assert cell["steps"] < 100_000
        assert cell["settings"]["train"]["max_minutes"] == 0.5 / 60


@pytest.mark.slow
def test_all_tables_and_families(lambent: Run, tmp_path: Path) -> None:
    """Every family trains on every table, and none falls far behind the normal it starts from."""
    root, out = tmp_path / "root", tmp_path / "out"
    for write in (write_power, write_gas, write_hepmass, write_miniboone, write_bsds300):
        write(root, 2000)
    said = lambent(
        *("bench", "tabular", "--root", root, "--out", out, "--unpublished", "--json"),
        *("--train.max_steps=20", "--train.validate_every=10", "--device=cpu"),
    )
    assert said.code == 0, said.err
    assert "left out" not in said.err
    cells, tables = said.figures["cells"], said.figures["tables"]
    assert len(cells) == len(TABLES) * len(plan.FAMILIES)
    for key, cell in cells.items():
        of_table = tables[key.split("/")[0]]
        behind = of_table["log_likelihood"] - cell["log_likelihood"]
        assert behind < 0.05 * of_table["features"], key  # false for NaN too
