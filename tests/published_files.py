"""Small tables in the files that the published ones come in."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np

from .old_pickle import write_frame


def draws(seed: int, count: int, features: int) -> np.ndarray:
    """Rows whose columns lean on each other, in other units each."""
    draw = np.random.default_rng(seed)
    mix = np.eye(features) + 0.3 * draw.normal(size=(features, features)) / np.sqrt(features)
    return draw.normal(size=(count, features)) @ mix * np.linspace(0.5, 20, features) + 3


def write_power(root: Path, count: int = 400) -> np.ndarray:
    rows = draws(1, count, 8)
    (root / "power").mkdir(parents=True)
    np.save(root / "power/data.npy", rows)
    return rows


def write_gas(root: Path, count: int = 400) -> np.ndarray:
    """Sixteen sensors in eight pairs that agree, as those of one kind do."""
    base = draws(2, count, 8)
    draw = np.random.default_rng(3)
    sensors = np.repeat(base, 2, axis=1) + 0.01 * draw.normal(size=(count, 16))
    rows = np.hstack((draw.normal(size=(count, 3)), sensors))
    names = ["Time", "Meth", "Eth", *(f"S{i}" for i in range(16))]
    write_frame(root / "gas/ethylene_CO.pickle", names, rows)
    return rows


def write_hepmass(root: Path, count: int = 800) -> tuple[np.ndarray, np.ndarray]:
    """27 features, six of them of few values; the test file has a column more."""
    tables = []
    for seed, name in ((4, "train"), (5, "test")):
        features = draws(seed, count, 27)
        draw = np.random.default_rng(seed)
        features[:, ::5] = draw.integers(-1, 2, (count, 6))
        label = draw.integers(0, 2, (count, 1)).astype(float)
        rows = np.hstack((label, features))
        names = ["# label", *(f"f{i}" for i in range(27))]
        if name == "test":
            rows, names = np.hstack((rows, np.full((count, 1), 1000.0))), [*names, "mass"]
        path = root / f"hepmass/1000_{name}.csv"
        path.parent.mkdir(parents=True, exist_ok=True)
        np.savetxt(path, rows, "%.18e", ",", header=",".join(names), comments="")
        tables.append(rows)
    return tables[0], tables[1]


def write_miniboone(root: Path, count: int = 400) -> np.ndarray:
    rows = draws(6, count, 43)
    (root / "miniboone").mkdir(parents=True)
    np.save(root / "miniboone/data.npy", rows)
    return rows


def write_bsds300(root: Path, count: int = 200) -> dict[str, np.ndarray]:
    parts = {
        name: (draws(7 + i, count, 63) / 100).astype(np.float32)
        for i, name in enumerate(("train", "validation", "test"))
    }
    (root / "BSDS300").mkdir(parents=True)
    with h5py.File(root / "BSDS300/BSDS300.hdf5", "w") as file:
        for name, rows in parts.items():
            file.create_dataset(name, data=rows)
    return parts
