"""The estimators beside other densities and outlier detectors.

    python benchmarks/estimators.py --data DIR [--only small shuttle magic] [--out FOLDER]

DIR holds magic.parquet (MAGIC gamma telescope, 10 columns) and shuttle.parquet (Statlog shuttle, 9
columns and `anomaly`); the small tables come with scikit-learn. Every method runs on one thread
and gets the same processor time at most, which is what a flow's budget is measured in here, so that
other work on the machine counts for little. Parts measured before stay in the JSON file.
"""

from __future__ import annotations

import argparse
import json
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import pyarrow.parquet as pq
import torch
from emit import write_json, write_text
from estimator_peers import PEERS, Array, Score, normal
from estimator_report import figure, page
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris, load_wine
from sklearn.ensemble import IsolationForest
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import train_test_split

from lambent.estimators import FlowDensity, FlowOutlierDetector
from lambent.files import replacing

SMALL = {
    "iris": load_iris,
    "wine": load_wine,
    "breast cancer": load_breast_cancer,
    "diabetes": load_diabetes,
}


def ours(train: Array, seed: int, seconds: float) -> tuple[Score, dict[str, object]]:
    """This package's density, with its defaults."""
    with patch("time.monotonic", time.process_time):
        model = FlowDensity(random_state=seed, max_seconds=seconds).fit(train)
    return model.score_samples, {"steps": model.n_steps_}


def small(splits: int, seconds: float) -> dict[str, Any]:
    """Nats a row by which held-out rows lie above the normal law of full covariance."""
    found = {}
    for name, load in SMALL.items():
        rows = load().data
        gains, steps, spent = [], [], time.process_time()
        for seed in range(splits):
            train, test = train_test_split(rows, test_size=0.2, random_state=seed)
            score, notes = ours(train, seed, seconds)
            gains.append(float((score(test) - normal(train, seed, seconds)[0](test)).mean()))
            steps.append(notes["steps"])
        found[name] = {
            "rows": len(rows),
            "columns": rows.shape[1],
            "gains": [round(gain, 4) for gain in gains],
            "steps": steps,
            "seconds": round((time.process_time() - spent) / splits, 1),
        }
        print(name, json.dumps(found[name]), flush=True)
    return found


def detectors(seconds: float) -> Iterator[tuple[str, Callable[[Array, Array], Array]]]:
    """Scores of rows, the higher the more normal, after a fit to normal rows."""

    def flow(train: Array, test: Array) -> Array:
        with patch("time.monotonic", time.process_time):
            model = FlowOutlierDetector(random_state=0, max_seconds=seconds).fit(train)
        return model.score_samples(test)

    def forest(train: Array, test: Array) -> Array:
        return IsolationForest(random_state=0).fit(train).score_samples(test)

    yield "FlowOutlierDetector", flow
    yield "IsolationForest", forest
    for name, peer in (
        ("KernelDensity", "kernel density"),
        ("GaussianMixture", "Gaussian mixture"),
    ):

        def density(train: Array, test: Array, peer: str = peer) -> Array:
            return PEERS[peer](train, 0, seconds)[0](test)

        yield name, density


def shuttle(data: Path, seconds: float) -> dict[str, Any]:
    """Areas under the ROC curve of detectors that half of the normal rows were shown to."""
    table = pq.read_table(data / "shuttle.parquet")
    label = table["anomaly"].to_numpy() > 0
    rows = np.stack([table[c].to_numpy() for c in table.column_names if c != "anomaly"], 1)
    rows = rows.astype(np.float64)
    train, fresh = train_test_split(rows[~label], test_size=0.5, random_state=0)
    test = np.concatenate((fresh, rows[label]))
    strange = np.arange(len(test)) >= len(fresh)
    found = {}
    for name, score in detectors(seconds):
        spent = time.process_time()
        area = roc_auc_score(strange, -score(train, test))
        found[name] = {
            "auc": round(float(area), 5),
            "seconds": round(time.process_time() - spent, 1),
        }
        print(name, json.dumps(found[name]), flush=True)
    return {"trained_on": len(train), "normal": len(fresh), "strange": int(label.sum())} | {
        "methods": found
    }


def magic(data: Path, seeds: int, seconds: float, keep: Callable[[Any], None]) -> None:
    """Nats a row held out, by method and split; kept after each fit."""
    table = pq.read_table(data / "magic.parquet")
    rows = np.stack([table[c].to_numpy() for c in table.column_names], 1).astype(np.float64)
    found: dict[str, list[dict[str, Any]]] = {}
    for seed in range(seeds):
        train, test = train_test_split(rows, test_size=0.2, random_state=seed)
        for name, method in ({"FlowDensity": ours} | PEERS).items():
            spent = time.process_time()
            score, notes = method(train, seed, seconds)
            spent = time.process_time() - spent
            nats = score(test)
            result = {
                "nats": round(float(nats.mean()), 4),
                "error": round(float(nats.std() / len(nats) ** 0.5), 4),
                "seconds": round(spent, 1),
            } | notes
            found.setdefault(name, []).append(result)
            print(seed, name, json.dumps(result), flush=True)
            keep({"rows": len(rows), "columns": rows.shape[1], "methods": found})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path)
    parser.add_argument("--only", nargs="*", default=["small", "shuttle", "magic"])
    parser.add_argument("--seconds", type=float, default=90.0, help="processor time of a fit")
    parser.add_argument("--splits", type=int, default=10, help="of the small tables")
    parser.add_argument("--seeds", type=int, default=3, help="splits of magic")
    parser.add_argument("--out", type=Path, default=Path("docs/benchmarks"))
    options = parser.parse_args()
    if options.data is None and set(options.only) != {"small"}:
        parser.error("--data: expected the folder of magic.parquet and shuttle.parquet")
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    path = options.out / "estimators.json"
    whole: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}

    def keep(part: str, figures: Any) -> None:
        whole[part] = {"budget": options.seconds} | figures
        write_json(path, whole)

    if "shuttle" in options.only:
        keep("shuttle", shuttle(options.data, options.seconds))
    if "small" in options.only:
        keep("small", {"tables": small(options.splits, options.seconds)})
    if "magic" in options.only:
        magic(options.data, options.seeds, options.seconds, lambda found: keep("magic", found))
    write_text(options.out / "estimators.md", page(whole))
    with replacing(options.out / "estimators.png") as temporary:
        figure(whole).savefig(temporary, format="png", dpi=90)


if __name__ == "__main__":
    main()
