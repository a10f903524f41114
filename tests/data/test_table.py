from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import pytest
import torch

from lambent.data import ColumnFacts, DataConfig, Table, hold_out, load_events
from lambent.data.read_table import is_table


@pytest.fixture
def table() -> pa.Table:
    draw = np.random.default_rng(0)
    return pa.table(
        {
            "height": pa.array(draw.normal(size=30)),
            "count": pa.array(draw.integers(0, 9, 30)),
        }
    )


def written(table: pa.Table, path: Path) -> Path:
    if path.suffix == ".csv":
        pyarrow.csv.write_csv(table, path)
    elif path.suffix == ".parquet":
        pyarrow.parquet.write_table(table, path)
    else:
        np.savez(path, x=np.stack([table["height"].to_numpy(), table["count"].to_numpy()], 1))
    return path


def load(path: Path, **settings: Any) -> Table:
    found = load_events(str(path), DataConfig(**{"split": "all", **settings}))
    assert isinstance(found, Table)
    return found


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".npz"])
def test_numeric_columns(suffix: str, table: pa.Table, tmp_path: Path) -> None:
    path = written(table, tmp_path / f"set{suffix}")
    assert is_table(str(path))
    found = load(path)
    expected = np.stack([table["height"].to_numpy(), table["count"].to_numpy()], 1)
    np.testing.assert_allclose(found.rows.numpy(), expected.astype(np.float32))
    names = ("x0", "x1") if suffix == ".npz" else ("height", "count")
    assert tuple(column.name for column in found.columns) == names
    kinds = "real" if suffix == ".npz" else "integer"
    assert found.facts() == {"shape": (2,), "classes": None, "columns": found.columns}
    assert repr(found) == f"Table('set', n=30, {names[0]}: real, {names[1]}: {kinds})"
    parts = [load(path, split=split, validation=0.2) for split in ("train", "validation")]
    assert [len(part) for part in parts] == [24, 6]
    rows = {tuple(row) for part in parts for row in part.rows.tolist()}
    assert rows == {tuple(row) for row in found.rows.tolist()}
    assert len(hold_out(found, 0.5, 0)[1]) == 15
    assert torch.equal(found[torch.tensor([3, 1])][0], found.rows[[3, 1]])


def test_refuses(table: pa.Table, tmp_path: Path) -> None:
    def refused(message: str, name: str = "a.parquet", **columns: Any) -> None:
        changed = pa.table({**{key: table[key] for key in ("height",)}, **columns})
        with pytest.raises(ValueError, match=message):
            load(written(changed, tmp_path / name))

    gaps = pa.array([1.0, None, np.nan] + [2.0] * 27)
    refused(r"^data: .* given 2 missing or infinite: 'gaps' in row 1, 2$", gaps=gaps)
    refused(r"^data: .* vary, given constant 'same', 1.0 in every row", same=pa.array([1.0] * 30))
    refused(r"^data: .* vary, given constant 'same', 'a' in every row", same=pa.array(["a"] * 30))
    refused(r"^data: .* given 'when' of date32", when=pa.array([date(2020, 1, 1)] * 30))
    half = pa.array(table["height"].to_numpy() / 2 - 3)
    refused(r"^data: .* given 'height' and 'half', which is it or a linear", half=half)
    names = pa.array([f"row{i}" for i in range(300)])
    with pytest.raises(ValueError, match=r"^data: expected at most 256 categories .* 300 in 'id'"):
        load(written(pa.table({"id": names}), tmp_path / "b.parquet"))
    (tmp_path / "c.csv").write_text("a,b\n1\n2,3,4\n")
    with pytest.raises(ValueError, match=r"^data: expected a readable table"):
        load(tmp_path / "c.csv")
    (tmp_path / "d.csv").write_text("a,b\n")
    with pytest.raises(ValueError, match=r"^data: expected "):
        load(tmp_path / "d.csv")
    path = written(table, tmp_path / "e.csv")
    with pytest.raises(ValueError, match=r"^split: expected one of train, validation, all of e"):
        load(path, split="test")
    with pytest.raises(ValueError, match=r"^validation: expected more than 0"):
        load(path, split="validation", validation=0.0)
    with pytest.raises(ValueError, match=r"^rows: expected a non-empty table"):
        Table(torch.zeros(3, 2), (ColumnFacts(name="a", kind="real"),))


def test_pictures_are_no_tables(tmp_path: Path) -> None:
    np.savez(tmp_path / "images.npz", x=np.zeros((2, 4, 4), np.uint8))
    pyarrow.parquet.write_table(pa.table({"image": [b"x"]}), tmp_path / "images.parquet")
    for name in ("images.npz", "images.parquet", "nothing.csv", "digits"):
        assert not is_table(str(tmp_path / name))
