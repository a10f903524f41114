from __future__ import annotations

import io
import sys
import tracemalloc
import zipfile
from pathlib import Path
from typing import Any

import datasets
import numpy as np
import pyarrow as pa
import pytest
from PIL import Image
from pyarrow import parquet

from lambent.errors import MissingExtraError
from lambent.store import Column, read_rows, writing_rows

COLUMNS = {"index": Column("int64"), "latent": Column("float32", (5,))}


def table(n: int) -> dict[str, Any]:
    draw = np.random.default_rng(0)
    return {"index": np.arange(n), "latent": draw.normal(size=(n, 5)).astype(np.float32)}


def write(path: Path, rows: dict[str, Any], columns: dict[str, Column], step: int) -> None:
    count = len(next(iter(rows.values())))
    with writing_rows(path, columns, count) as add:
        for start in range(0, count, step):
            add({name: values[start : start + step] for name, values in rows.items()})


@pytest.mark.parametrize("suffix", [".npz", ".parquet"])
@pytest.mark.parametrize("size", [1, 4, 100])
def test_what_was_written_is_read(tmp_path: Path, suffix: str, size: int) -> None:
    path = tmp_path / f"new/table{suffix}"
    rows = table(11)
    write(path, rows, COLUMNS, 4)
    count, batches = read_rows(path, size)
    found = list(batches)
    assert count == 11
    assert [len(batch["index"]) for batch in found] == [
        len(p) for p in np.split(np.arange(11), range(size, 11, size))
    ]
    for name, values in rows.items():
        joined = np.concatenate([batch[name] for batch in found])
        assert joined.dtype == values.dtype
        assert np.array_equal(joined, values)
    assert [other.name for other in path.parent.iterdir()] == [path.name]


def test_bytes_in_the_other_order_are_numbers_too(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", a=np.arange(5, dtype=">f4"))
    _, rows = read_rows(tmp_path / "a.npz", 10)
    (found,) = rows
    assert found["a"].dtype == np.dtype("=f4")
    assert found["a"].tolist() == [0, 1, 2, 3, 4]


def test_others_read_them_too(tmp_path: Path) -> None:
    rows = table(7)
    write(tmp_path / "a.npz", rows, COLUMNS, 3)
    write(tmp_path / "a.parquet", rows, COLUMNS, 3)
    with np.load(tmp_path / "a.npz", allow_pickle=False) as found:
        assert sorted(found) == ["index", "latent"]
        assert all(np.array_equal(found[name], values) for name, values in rows.items())
    read = parquet.read_table(tmp_path / "a.parquet")
    assert read.column("index").to_pylist() == list(range(7))
    assert np.array_equal(np.array(read.column("latent").to_pylist(), np.float32), rows["latent"])


def test_what_others_wrote_is_read(tmp_path: Path) -> None:
    rows = table(7)
    np.savez_compressed(tmp_path / "a.npz", **rows)
    lists = {"index": rows["index"].tolist(), "latent": rows["latent"].tolist()}
    parquet.write_table(pa.table(lists), tmp_path / "a.parquet")
    for name in ("a.npz", "a.parquet"):
        count, batches = read_rows(tmp_path / name, 5)
        found = np.concatenate([batch["latent"] for batch in batches])
        assert count == 7
        assert np.array_equal(found.astype(np.float32), rows["latent"])


@pytest.mark.parametrize("suffix", [".npz", ".parquet"])
def test_memory_does_not_grow_with_the_rows(tmp_path: Path, suffix: str) -> None:
    columns = {"latent": Column("float32", (1000,))}
    batch = {"latent": np.zeros((50, 1000), np.float32)}
    tracemalloc.start()
    try:
        with writing_rows(tmp_path / f"a{suffix}", columns, 5000) as add:
            for _ in range(100):
                add(batch)
        for rows in read_rows(tmp_path / f"a{suffix}", 50)[1]:
            assert not rows["latent"].any()
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 3e6  # of 20e6 bytes in all, 0.2e6 in a batch


def test_pictures(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (6, 3, 4, 5), dtype=np.uint8)
    columns = {"image": Column("uint8", (3, 4, 5)), "label": Column("int64", classes=2)}
    rows = {"image": pixels, "label": np.arange(6) % 2}
    write(tmp_path / "a.parquet", rows, columns, 4)
    first = parquet.read_table(tmp_path / "a.parquet").column("image")[0].as_py()
    with Image.open(io.BytesIO(first["bytes"])) as picture:
        assert np.array_equal(np.asarray(picture), pixels[0].transpose(1, 2, 0))
    schema = parquet.read_schema(tmp_path / "a.parquet")
    features = datasets.Features.from_arrow_schema(schema)
    assert features == {"image": datasets.Image(), "label": datasets.ClassLabel(names=["0", "1"])}


def test_nothing_is_left_of_what_failed(tmp_path: Path) -> None:
    for suffix in (".npz", ".parquet"):
        path = tmp_path / f"a{suffix}"
        with (
            pytest.raises(ValueError, match=r"^rows: expected 5, got 3"),
            writing_rows(path, COLUMNS, 5) as add,
        ):
            add(table(3))
        with pytest.raises(ValueError, match=r"^latent: expected rows of float32 \(5,\), got"):
            write(path, {**table(3), "latent": np.zeros((3, 4), np.float32)}, COLUMNS, 3)
        with pytest.raises(ValueError, match=r"^rows: expected as many of each of index, latent"):
            write(path, {"index": np.arange(3)}, COLUMNS, 3)
    assert list(tmp_path.iterdir()) == []


def test_refuses_to_read(tmp_path: Path) -> None:
    def refuses(words: str) -> None:
        with pytest.raises(ValueError, match=words):
            list(read_rows(path, 2)[1])

    for suffix in (".npz", ".parquet"):
        path = tmp_path / f"text{suffix}"
        path.write_text("text")
        refuses(rf"expected a readable {suffix[1:]} file in .*text{suffix}', got")
    path = tmp_path / "a.npz"
    np.savez(path, a=np.zeros(3), b=np.zeros(4))
    refuses("expected columns of one length")
    np.savez(path, a=np.array([{}]))
    refuses("expected numbers row by row in .*, got 'a' of object")
    np.savez(path, a=np.zeros((3, 4), order="F"))
    refuses("expected numbers row by row")
    np.savez(path, a=np.float64(1))
    refuses("expected numbers row by row")
    with zipfile.ZipFile(path, "w") as archive:
        file = io.BytesIO()
        np.save(file, np.zeros((3, 4)))
        archive.writestr("a.npy", file.getvalue()[:-8])
    refuses("expected 3 readable rows in .*, got: ")
    for compress in (np.savez, np.savez_compressed):
        compress(path, a=np.arange(400.0))
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 255
        path.write_bytes(content)
        refuses("expected 400 readable rows in .*, got: |expected a readable npz")
    np.savez(path, a=np.arange(3.0))
    content = bytearray(path.read_bytes())
    for mark in (b"PK\x03\x04", b"PK\x01\x02"):
        content[content.index(mark) + (6 if mark[2] == 3 else 8)] |= 1  # says it is encrypted
    path.write_bytes(content)
    refuses("expected a readable npz file in .*, got: .*encrypted")
    with zipfile.ZipFile(path, "w"):
        pass
    refuses("expected columns")
    path = tmp_path / "a.parquet"
    for values, kind in (
        (["a"], "string"),
        ([1.0, None], "double with gaps"),
        ([[1.0], [1.0, 2.0]], "list.* with gaps"),
        ([[1.0], None], "list.* with gaps"),
    ):
        parquet.write_table(pa.table({"a": values}), path)
        refuses(f"got column 'a' of {kind}")
    with pytest.raises(ValueError, match=r"^batch_size: expected a number from 1, got 0"):
        read_rows(path, 0)


def test_without_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.delitem(sys.modules, "lambent.store.parquet", raising=False)
    with pytest.raises(MissingExtraError, match=r"'pyarrow'.*lambent\[data\]"):
        write(tmp_path / "a.parquet", table(2), COLUMNS, 2)
    write(tmp_path / "a.npz", table(2), COLUMNS, 2)
    assert [path.name for path in tmp_path.iterdir()] == ["a.npz"]
