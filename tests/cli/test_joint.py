"""Joint flows from the command line: of labelled images, and of tables with a condition."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from .conftest import Run
from .test_tables import columns_of

TINY = (
    "--objective=joint",
    "--model.couplings=4",
    "--model.width=4",
    "--train.batch_size=16",
    "--train.validate_every=2",
    "--train.anneal_steps=2",
    "--train.warmup_steps=0",
    "--train.loggers=[]",
    "--json",
)


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """``x | y ~ N(2 y, 1/4)`` in two columns, and y in a third."""
    path = tmp_path_factory.mktemp("joint") / "rows.npz"
    draw = np.random.default_rng(0)
    y = draw.normal(size=(600, 1))
    np.savez(path, x=np.concatenate((2 * y + 0.5 * draw.normal(size=(600, 2)), y), 1))
    return path


def test_labelled_images(lambent: Run, tmp_path: Path) -> None:
    out = tmp_path / "run"
    train = ("train", "--data=digits", "--out", out, *TINY, "--train.one_class_batches=true")
    said = lambent(*train, "--train.max_steps=2")
    assert said.code == 0, said.err
    assert said.figures["rule_error"] > 0
    assert "bits_per_dim" not in said.figures
    said = lambent(*train, "--train.max_steps=4", "--resume")
    assert said.code == 0, said.err
    assert said.figures["steps"] == 4
    said = lambent("sample", out, "--label=3", "--n=2", "--out", tmp_path / "s.png")
    assert said.code == 0, said.err
    said = lambent("evaluate", out, "--data=digits", "--json")
    assert set(said.figures) == {"rule_error", "images"}
    said = lambent("score", out, "--data=digits", "--out", tmp_path / "s.npz")
    assert said.code == 2
    assert "run: expected a model with a likelihood of its own events, got a joint" in said.err
    said = lambent("evaluate", out, "--data=digits", "--marginal")
    assert said.code == 2
    assert "marginal: expected none with a joint flow" in said.err


def test_a_table_with_a_condition(lambent: Run, table: Path, tmp_path: Path) -> None:
    out, drawn = tmp_path / "run", tmp_path / "rows.npz"
    learns = ("--train.max_steps=80", "--train.learning_rate=0.005", "--train.ema_decay=null")
    train = (
        "train",
        "--data",
        table,
        "--context=x2",
        "--out",
        out,
        *TINY,
        "--train.validate_every=40",
    )
    said = lambent(*train, "--model.couplings=6", "--model.width=16", *learns)
    assert said.code == 0, said.err
    assert said.figures["conditional_log_likelihood"] < 0
    said = lambent("evaluate", out, "--data", table, "--json")
    assert said.code == 0, said.err
    assert set(said.figures) == {"rule_error", "conditional_log_likelihood", "rows"}
    means = {}
    for given in (-1.0, 1.0):
        said = lambent("sample", out, f"--given={given}", "--n=500", "--out", drawn)
        assert said.code == 0, said.err
        rows = columns_of(drawn)
        assert set(rows) == {"x0", "x1", "x2"}
        assert set(rows["x2"]) == {given}
        means[given] = float(np.mean([rows["x0"], rows["x1"]]))
    assert means[1.0] - means[-1.0] > 1
    for wrong, words in (
        ((), "given: expected a value of each of x2, such as x2=..., got ''"),
        (("--given=a",), "given: expected a number of 'x2', got 'a'"),
        (("--given=nan",), "given: expected a number of 'x2', got 'nan'"),
        (("--given=1,2",), "given: expected a value of each of x2, such as x2=..., got '1,2'"),
        (("--label=1",), "label: the model is not class-conditional, got 1"),
    ):
        said = lambent("sample", out, *wrong, "--out", drawn)
        assert (said.code, len(said.err.splitlines())) == (2, 1), said.err
        assert words in said.err
