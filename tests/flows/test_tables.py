"""Every family trained from the command line on scikit-learn's sets, beside a normal."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.datasets import load_breast_cancer

from lambent.cli.main import main
from lambent.cli.presets import presets
from lambent.core.registry import families
from lambent.data import DataConfig, load_events

NOT_OF_ROWS = {"glow", "joint"}
"""Of images alone, and of rows given others."""
STEPS = {"iaf_table": 60, "nice_digits": 1500}
"""Other than 300: a step of IAF goes through an autoregressive inverse, those of NICE are short."""


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("tables") / "breast_cancer.csv"
    rows = load_breast_cancer()
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(rows.feature_names)
        writer.writerows(rows.data.tolist())
    return path


def normal(train: torch.Tensor, held_out: torch.Tensor) -> float:
    """Nats a held-out event of the normal with the moments of the training events."""
    train, held_out = train.flatten(1).double(), held_out.flatten(1).double()
    spread = train.T.cov() + 1e-3 * torch.eye(train.shape[1])  # some pixels are always 0
    density = torch.distributions.MultivariateNormal(train.mean(0), spread)
    return float(density.log_prob(held_out).mean())


def events(data: str) -> tuple[torch.Tensor, torch.Tensor]:
    return (
        load_events(data, DataConfig(validation=0.2))[:][0],
        load_events(data, DataConfig(split="validation", validation=0.2))[:][0],
    )


def trained(model: str, data: str, out: Path, capsys: pytest.CaptureFixture[str]) -> float:
    """Nats a held-out event, as the command line says."""
    steps = STEPS.get(model, 300)
    arguments = ["train", "--model", model, "--data", data, "--json", "--out", str(out)]
    arguments += ["--data-validation", "0.2", f"--train.max_steps={steps}"]
    assert main([*arguments, "--train.validate_every=20", "--train.loggers=[]"]) == 0
    return float(json.loads(capsys.readouterr().out)["log_likelihood"])


def test_every_family_of_vectors_has_a_preset() -> None:
    assert {f"{name}_table" for name in set(families()) - NOT_OF_ROWS} <= set(presets())


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(set(families()) - NOT_OF_ROWS))
def test_better_than_a_normal_of_rows(
    name: str, table: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Breast cancer: 455 rows of 30 columns, many of them nearly functions of others."""
    spread = load_breast_cancer().data.std(0)
    reached = trained(f"{name}_table", str(table), tmp_path / "run", capsys)
    # In units of each column's deviation, or the ridge would swallow the narrow ones.
    train, held_out = (rows / torch.tensor(spread) for rows in events(str(table)))
    assert reached > normal(train, held_out) - np.log(spread).sum()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["glow", "nice", "realnvp"])
def test_better_than_a_normal_of_pictures(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Digits, 8 x 8 at 17 grey levels, with the noise of uniform dequantisation."""
    reached = trained(f"{name}_digits", "digits", tmp_path / "run", capsys)
    torch.manual_seed(0)
    train, held_out = (x.double() * 17 // 256 + torch.rand(x.shape) for x in events("digits"))
    assert reached > normal(train, held_out)
