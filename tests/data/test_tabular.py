"""Tables of columns of every kind: what is found out of them, and that they come back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv
import pyarrow.feather
import pytest
import torch

from lambent import NSFConfig, load, nsf, save
from lambent.data import (
    ColumnFacts,
    DataConfig,
    arrow_from,
    load_events,
    load_table,
    read_table,
    table_like,
)

N = 400


def frame() -> pd.DataFrame:
    draw = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "height": draw.normal(170, 10, N),
            "price": draw.lognormal(size=N).astype(np.float32),
            "rooms": draw.integers(1, 6, N).astype(np.int16),
            "visits": np.append(draw.geometric(0.1, N - 1), 900),
            "carat": np.round(draw.uniform(0.2, 3.0, N), 2),
            "share": draw.uniform(0.01, 0.99, N),
            "cut": draw.choice(["good", "fair", "ideal"], N),
            "sold": draw.random(N) < 0.4,
            "region": pd.Categorical(draw.choice(["N", "S"], N)),
            "moment": draw.integers(1_700_000_000, 1_700_001_000, N),
        }
    )


KINDS = {"price": "positive", "carat": "step:0.01", "share": "interval:0:1", "moment": "real"}


def test_kinds_and_types() -> None:
    table = read_table(frame(), kinds=KINDS)
    found = {column.name: column.kind for column in table.columns}
    assert found == {
        "height": "real",
        "price": "positive",
        "rooms": "integer",
        "visits": "count",
        "carat": "integer",
        "share": "interval",
        "cut": "category",
        "sold": "category",
        "region": "category",
        "moment": "real",
    }
    by_name = {column.name: column for column in table.columns}
    assert by_name["cut"].categories == ("fair", "good", "ideal")
    assert by_name["sold"].categories == (False, True)
    assert (by_name["rooms"].low, by_name["rooms"].high) == (1.0, 5.0)
    assert by_name["height"].centre == pytest.approx(frame()["height"].mean())
    assert by_name["price"].centre == pytest.approx(np.log(frame()["price"]).mean(), abs=1e-6)
    assert table.rows.dtype == torch.float64  # moments have no room in float32
    assert read_table(frame()[["height", "cut"]]).rows.dtype == torch.float32


def test_comes_back_in_its_own_types() -> None:
    original = frame()
    back = read_table(original, kinds=KINDS).arrow().to_pandas()
    for name in original.columns:
        assert str(back[name].dtype) == str(original[name].dtype), name
        if original[name].dtype.kind == "f":
            np.testing.assert_allclose(back[name], original[name], rtol=1e-12)
        else:
            assert list(back[name]) == list(original[name])


def test_context_and_choice() -> None:
    table = read_table(frame(), columns=["cut", "height", "rooms"], context=["cut"])
    assert [column.name for column in table.columns] == ["height", "rooms"]
    assert table.conditions is not None
    assert table.conditions.shape == (N, 1)
    facts = table.facts()
    assert facts["context_features"] == 1
    assert [column.name for column in facts["context_columns"]] == ["cut"]
    half = table.subset(slice(0, 200))
    assert half[0][1] is not None
    assert half.arrow().column_names == ["height", "rooms", "cut"]


@pytest.mark.parametrize("form", ["pandas", "arrow", "arrays", "array", "csv", "arrow file"])
def test_forms(form: str, tmp_path: Path) -> None:
    some = frame()[["height", "share"]]
    path = tmp_path / "x.arrow"
    if form == "csv":
        path = tmp_path / "x.csv"
        pyarrow.csv.write_csv(pa.Table.from_pandas(some), path)
    else:
        pyarrow.feather.write_feather(pa.Table.from_pandas(some), path, compression="lz4")
    forms: dict[str, Any] = {
        "pandas": some,
        "arrow": pa.Table.from_pandas(some),
        "arrays": {name: some[name].to_numpy() for name in some},
        "array": some.to_numpy(),
        "csv": path,
        "arrow file": str(path),
    }
    table = read_table(forms[form])
    np.testing.assert_allclose(table.rows, some.to_numpy(), rtol=1e-6)
    if "file" in form or form == "csv":
        assert len(load_events(str(path), DataConfig(split="all"))) == N


def test_polars() -> None:
    polars = pytest.importorskip("polars")
    some = polars.DataFrame({"a": [1.5, 2.5, 4.0], "b": ["x", "y", "x"], "c": [True, False, True]})
    some = some.with_columns(polars.col("b").cast(polars.Categorical))
    table = read_table(some)
    assert [column.kind for column in table.columns] == ["real", "category", "category"]
    assert polars.DataFrame(table.arrow())["b"].to_list() == ["x", "y", "x"]


def test_a_model_s_columns(tmp_path: Path) -> None:
    """Another file is read by the categories that a model knows, whatever it has of its own."""
    known = read_table(frame()[["height", "cut"]]).columns
    other = frame()[["cut", "height", "rooms"]].query("cut != 'fair'")
    table = table_like(other, known, ())
    assert set(table.rows[:, 1].tolist()) == {1.0, 2.0}
    path = tmp_path / "other.parquet"
    other.to_parquet(path)
    loaded = load_table(str(path), DataConfig(split="all"), known)
    assert torch.equal(loaded.rows, table.rows)
    with pytest.raises(ValueError, match=r"^data: expected one of 3 .* 'cut', given 'odd' in row"):
        table_like(pd.DataFrame({"height": [1.0] * 3, "cut": ["good", "good", "odd"]}), known, ())
    with pytest.raises(ValueError, match=r"^data: unknown 'cut'"):
        table_like(frame()[["height"]], known, ())


@pytest.mark.parametrize(
    ("kinds", "said"),
    [
        ({"height": "posi"}, r"^kinds: expected height to be .* given 'posi'"),
        ({"height": "interval:2:1"}, r"^kinds: expected height to be .* given 'interval:2:1'"),
        ({"height": "step"}, r"^kinds: expected height to be .* given 'step'"),
        ({"weight": "real"}, r"^kinds: unknown 'weight'"),
        ({"cut": "real"}, r"^kinds: expected 'cut', of .* to be category, given real"),
        ({"height": "step:5"}, r"^data: expected multiples of 5 from .* in column 'height'"),
        ({"share": "interval:0.5:1"}, r"^data: expected numbers between 0.5 and 1, .* 'share'"),
        ({"negative": "positive"}, r"^data: expected numbers above 0 in column 'negative'"),
    ],
)
def test_refuses_kinds(kinds: dict[str, str], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        read_table(frame().assign(negative=-1.0 - np.arange(N) ** 2), kinds=kinds)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"columns": ["nothing"]}, r"^columns: unknown 'nothing'"),
        ({"drop": list(frame().columns)}, r"^columns: expected columns, each once, given \[\]"),
        ({"context": ["nothing"]}, r"^context: expected columns of table .* given 'nothing'"),
        ({"columns": ["cut"], "context": ["cut"]}, r"^context: expected fewer than the 1 columns"),
    ],
)
def test_refuses_choices(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        read_table(frame(), **settings)


def test_refuses_gaps_by_row() -> None:
    gaps = frame()
    gaps.loc[[3, 7], "cut"] = None
    gaps.loc[[1, 2, 3, 4, 5, 6, 9], "height"] = np.nan
    with pytest.raises(
        ValueError,
        match=r"9 missing or infinite: 'height' in row 1, 2, 3, 4, 5 and 2 more; 'cut' in row 3, 7",
    ):
        read_table(gaps)


def test_facts_are_checked() -> None:
    with pytest.raises(ValueError, match=r"^columns: expected scale and step above 0"):
        ColumnFacts(name="a", kind="real", scale=0.0)
    with pytest.raises(ValueError, match=r"^columns: expected 2 to 256 categories of 'a', given 1"):
        ColumnFacts(name="a", kind="category", categories=("x",))


def test_a_model_file_tells_columns(tmp_path: Path) -> None:
    """Numbers, words and truth values as categories, and categories in a file."""
    kinds = {"carat": "category", "rooms": "category"}
    names = ["height", "carat", "rooms", "cut", "sold", "region"]
    table = read_table(frame()[names], kinds=kinds)
    flow = nsf(NSFConfig(shape=table.shape, columns=table.columns, width=8, transforms=1))
    save(flow, tmp_path / "model")
    again = load(tmp_path / "model")
    assert again.recipe is not None
    assert again.recipe[1].columns == table.columns  # type: ignore[attr-defined]
    rows = arrow_from(again.sample(20).numpy(), table.columns)
    assert rows.schema.equals(table.arrow().schema)


def test_the_order_of_a_dictionary_is_kept() -> None:
    grades = pd.Categorical(["low", "high", "mid", "low"], ["low", "mid", "high"], ordered=True)
    table = read_table(pd.DataFrame({"grade": grades, "x": [1.0, 2.5, 4.0, 0.5]}))
    assert table.columns[0].categories == ("low", "mid", "high")
    back = table.arrow().to_pandas()["grade"]
    assert back.cat.ordered
    assert list(back.cat.categories) == ["low", "mid", "high"]
    assert list(back) == list(grades)


def test_refuses_copies_of_categories() -> None:
    with pytest.raises(ValueError, match=r"given 'cut' and 'again', which is a copy of it"):
        read_table(frame().assign(again=frame()["cut"]))
