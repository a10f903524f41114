"""Tables of numbers through the commands."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import pytest

from lambent import load, load_images
from lambent.cli import main
from lambent.train.metrics import read_metrics

from .conftest import Run
from .test_commands import documented

DROP = "--data-drop=name"
SMALL = ("--model.couplings=4", "--model.width=16", "--model.layers=1", "--device=cpu")
QUICK = ("--train.max_steps=150", "--train.validate_every=75", "--train.warmup_steps=0")


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two dependent columns far from zero, and one of words."""
    draw = np.random.default_rng(0)
    height = 170 + 10 * draw.normal(size=600)
    weight = 0.9 * height - 90 + 4 * draw.normal(size=600)
    columns = {"height": height, "weight": weight, "name": [f"row{i}" for i in range(600)]}
    path = tmp_path_factory.mktemp("rows") / "people.csv"
    pyarrow.csv.write_csv(pa.table(columns), path)
    return path


@pytest.fixture(scope="module")
def run(table: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("rows") / "run"
    arguments = [
        "train",
        "--model",
        "realnvp",
        "--data",
        table,
        "--data-drop=name",
        "--out",
        out,
        *SMALL,
        *QUICK,
    ]
    assert main([str(argument) for argument in (*arguments, "--train.learning_rate=0.01")]) == 0
    return out


def test_fits_better_than_it_began(table: Path, run: Path, lambent: Run) -> None:
    figures = lambent("evaluate", run, "--data", table, "--json").figures
    assert set(figures) <= documented("evaluate", tables=True)
    assert figures["rows"] == 60
    assert figures["likelihood"] == "exact"
    nats = figures["log_likelihood"]
    assert sum(figures["parts"].values()) == pytest.approx(nats, abs=1e-4)
    low, high = figures["interval"]
    assert low < nats < high
    assert high - low == pytest.approx(4 * figures["standard_error"], rel=0.3)
    assert figures["reading"] == f"= {nats:.4f} ± {figures['standard_error']:.4f} nats"
    truth = -np.log(2 * np.pi * np.e) - np.log(10 * 4)  # minus the entropy of the true density
    assert truth - 1 < nats < truth + 0.5
    assert load(run).event_shape == (2,)


def test_scores_latents_and_rows(table: Path, run: Path, lambent: Run, tmp_path: Path) -> None:
    scores, latents, rows = (tmp_path / f"{name}.parquet" for name in ("s", "z", "x"))
    figures = lambent("score", run, "--data", table, "--out", scores, "--json").figures
    assert set(figures) <= documented("score", tables=True)
    scored = pyarrow.parquet.read_table(scores)
    assert scored.schema.names == ["height", "weight", "name", "log_density"]
    assert scored.num_rows == figures["rows"] == 60
    mean = np.asarray(scored["log_density"]).mean()
    assert mean == pytest.approx(figures["log_likelihood"], abs=1e-6)
    said = lambent("encode", run, "--data", table, "--out", latents, "--json")
    assert said.figures["rows"] == 60
    said = lambent("decode", run, "--latents", latents, "--out", rows, "--json")
    assert said.figures["rows"] == 60
    back = pyarrow.parquet.read_table(rows)
    assert back.schema.names == ["height", "weight"]
    everything = pyarrow.csv.read_csv(table)
    for name in ("height", "weight"):
        true = everything[name].to_numpy()
        found = back[name].to_numpy()
        assert max(np.abs(true - value).min() for value in found) < 1e-2


def test_training_speaks_of_rows_and_nats(table: Path, lambent: Run, tmp_path: Path) -> None:
    """Of images nowhere; the file of metrics has the columns that it has of all events."""
    out = tmp_path / "run"
    quick = ("--train.max_steps=4", "--train.validate_every=2", "--train.loggers=[]")
    said = lambent("train", "--model=maf", f"--data={table}", DROP, f"--out={out}", *quick)
    assert said.code == 0, said.err
    for word in ("images", "bits"):
        assert word not in said.out + said.err
    lines = said.err.splitlines()
    assert re.fullmatch(
        r"step 2: -\d+\.\d+ nats, best (-\d+\.\d+), \d+ rows/s, .* left, validation (-\d+\.\d+)",
        lines[0],
    )
    metrics = read_metrics(out / "metrics.csv")
    nats = {
        step: -2 * np.log(2) * row["validation/bits_per_dim"]
        for step, row in metrics.items()
        if "validation/bits_per_dim" in row
    }
    best = max(nats.values())
    assert f"best {best:.3f}," in lines[-1]
    assert f"validation {nats[4]:.4f}" in lines[-1]
    shown = [
        line.split(maxsplit=2)[-1]
        for line in said.out.splitlines()
        if line.startswith("log likelihood")
    ]
    assert float(shown[0]) == pytest.approx(best, abs=0.01)


def test_rows_outside_the_domain_leave_no_run(table: Path, lambent: Run, tmp_path: Path) -> None:
    arguments = (
        "train",
        "--model=nsf",
        f"--data={table}",
        f"--out={tmp_path / 'run'}",
        DROP,
        *QUICK,
    )
    said = lambent(*arguments, "--model.domain=interval")
    assert said.code == 2
    assert len(said.err.splitlines()) == 1
    assert not (tmp_path / "run").exists()
    assert lambent(*arguments, "--train.max_steps=2").code == 0  # and it is free for another
    again = lambent(*arguments, "--train.max_steps=3", "--model.domain=interval", "--resume")
    assert again.code == 2
    assert (tmp_path / "run/checkpoints/last.ckpt").is_file()


@pytest.mark.parametrize("suffix", [".parquet", ".npz"])
def test_draws_rows(suffix: str, run: Path, lambent: Run, tmp_path: Path) -> None:
    out = tmp_path / f"drawn{suffix}"
    assert lambent("sample", run, "--n", 500, "--out", out, "--json").figures["rows"] == 500
    found = pyarrow.parquet.read_table(out) if suffix == ".parquet" else np.load(out)
    height, weight = (np.asarray(found[name]) for name in ("height", "weight"))
    assert height.mean() == pytest.approx(170, abs=5)
    assert np.corrcoef(height, weight)[0, 1] > 0.7


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("sample", "{run}", "--out", "{out}.png"), "out: expected a name that ends in .parquet"),
        (("evaluate", "{run}", "--data", "digits"), "data: the model expects rows of 2 numbers"),
        (("evaluate", "{run}", "--data={table}", "--yardsticks"), "yardsticks: expected images"),
        (("reconstruct", "{run}", "--data={table}", "--out={out}.png"), "data: expected"),
        (("interpolate", "{run}", "a.png", "b.png", "--out={out}.png"), "run: expected a model of"),
        (
            (
                "train",
                "--model=realnvp",
                "--data={table}",
                "--data-drop=name",
                "--train.flip=true",
                "--out={out}",
            ),
            "shift, flip, random_crop: expected images, got events of shape (2,)",
        ),
        (
            ("train", "--model=realnvp", "--data={table}", "--data-split=test", "--out={out}"),
            "split: expected one of train, validation, all",
        ),
    ],
)
def test_what_is_for_images(
    arguments: tuple[str, ...], said: str, table: Path, run: Path, lambent: Run, tmp_path: Path
) -> None:
    places = {"run": run, "table": table, "out": tmp_path / "out"}
    found = lambent(*(argument.format(**places) for argument in arguments))
    assert found.code == 2
    assert said in found.err
    assert len(found.err.splitlines()) == 1
    with pytest.raises(ValueError, match="data: expected"):
        load_images(str(table))


MIXED = ("--data-kinds=price=positive,depth=step:0.1", "--device=cpu")


@pytest.fixture(scope="module")
def stones(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A table of every kind of column, in parquet."""
    draw = np.random.default_rng(0)
    size = draw.lognormal(size=400)
    cut = draw.choice(["fair", "good", "ideal"], 400)
    columns = {
        "price": 100 * size * draw.lognormal(0.0, 0.2, 400),
        "size": size.astype(np.float32),
        "cut": pa.array(cut).dictionary_encode(),
        "owners": draw.integers(1, 5, 400).astype(np.int16),
        "depth": np.round(draw.normal(61, 1.5, 400), 1),
        "rare": size > 2,
    }
    path = tmp_path_factory.mktemp("stones") / "stones.parquet"
    pyarrow.parquet.write_table(pa.table(columns), path)
    return path


@pytest.mark.parametrize(
    "model",
    [("nsf",), ("maf", "--model.categories=argmax", "--model.dequantisation=variational")],
    ids=["exact", "lifted"],
)
def test_mixed_columns(model: tuple[str, ...], stones: Path, lambent: Run, tmp_path: Path) -> None:
    run, drawn, scored = (tmp_path / name for name in ("run", "drawn.parquet", "scored.parquet"))
    train = ("train", "--model", *model, "--data", stones, *MIXED, "--out", run)
    said = lambent(*train, "--model.width=16", "--model.transforms=1", "--train.max_steps=4")
    assert said.code == 0, said.err
    assert lambent("evaluate", run, "--data", stones, "--json").figures["likelihood"] == "bound"
    assert lambent("sample", run, "--n=50", "--out", drawn).code == 0
    original, found = pyarrow.parquet.read_table(stones), pyarrow.parquet.read_table(drawn)
    assert found.schema.equals(original.schema)
    assert min(found["price"].to_pylist()) > 0
    assert set(found["owners"].to_pylist()) <= {1, 2, 3, 4}
    said = lambent("score", run, "--data", stones, "--data-split=all", "--out", scored, "--json")
    assert said.code == 0, said.err
    back = pyarrow.parquet.read_table(scored)
    assert back.column_names == [*original.column_names, "log_density"]
    assert back.num_rows == said.figures["rows"] == 400
    assert np.mean(back["log_density"].to_numpy()) == pytest.approx(said.figures["log_likelihood"])
    again = lambent("score", run, "--data", scored, "--out", tmp_path / "s.csv")
    assert again.code == 2
    assert "data: expected no column 'log_density', which is added" in again.err
    assert not (tmp_path / "s.csv").exists()


def test_columns_that_rows_are_given(stones: Path, lambent: Run, tmp_path: Path) -> None:
    run, drawn = tmp_path / "run", tmp_path / "drawn.csv"
    train = ("train", "--model=nsf", "--data", stones, *MIXED, "--context=size,cut", "--out", run)
    said = lambent(*train, "--model.width=16", "--model.transforms=1", "--train.max_steps=4")
    assert said.code == 0, said.err
    assert lambent("evaluate", run, "--data", stones).code == 0
    said = lambent("sample", run, "--given=size=1.5,cut=good", "--n=9", "--out", drawn)
    assert said.code == 0, said.err
    found = pyarrow.csv.read_csv(drawn)
    assert found.column_names == ["price", "owners", "depth", "rare", "size", "cut"]
    assert set(found["cut"].to_pylist()) == {"good"}
    for wrong, words in (
        ("size=1", "given: expected a value of each of size, cut"),
        ("size=x,cut=good", "given: expected a number of 'size', got 'x'"),
        ("size=1,cut=odd", "expected one of 3 categories in column 'cut', given 'odd'"),
    ):
        said = lambent("sample", run, f"--given={wrong}", "--out", drawn)
        assert (said.code, len(said.err.splitlines())) == (2, 1)
        assert words in said.err
