"""Bad inputs of ``lambent bench``: tables that are not there or not published, and bad options."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np

from ..published_files import write_hepmass, write_power

BENCH = ("bench", "tabular", "--root", "{published}/good", "--out", "{out}")


def bench_of(name: str) -> tuple[str, ...]:
    return ("bench", "tabular", "--root", f"{{published}}/{name}", "--out", "{out}")


CASES: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "bench, nothing": (("bench",), ("required: what, root",)),
    "bench, what": (("bench", "tables", "--root=."), ("what: expected one of 'tabular'",)),
    "bench, no root": (("bench", "tabular", "--out={out}"), ("required: root",)),
    "bench, no table": (
        ("bench", "tabular", "--root", "{empty}", "--out", "{out}"),
        ("root: expected a folder with one of power/data.npy", "empty' with none of them"),
    ),
    "bench, no such root": (
        ("bench", "tabular", "--root", "{out}/no", "--out", "{out}"),
        ("root: expected a folder with one of power/data.npy", "no' with none of them"),
    ),
    "bench, no out": (BENCH[:4], ("out: expected a folder for the results, got none",)),
    "bench, out is a file": (
        (*BENCH[:4], "--out", "{file}"),
        ("out: expected a folder, got the file",),
    ),
    "bench, out of another kind": (
        (*BENCH[:4], "--out", "{published}/other"),
        ("out: expected results of this command in", "results.json', got other content"),
    ),
    "bench, not published": (
        BENCH,
        ("root: the normal of full covariance comes more than 0.05 nats", "(published -7.74)"),
    ),
    "bench, families": (
        (*BENCH, "--families=maf,nfs"),
        ("families: unknown 'nfs'; did you mean 'nsf'?",),
    ),
    "bench, families of images": ((*BENCH, "--families=glow"), ("families: unknown 'glow'",)),
    "bench, seeds": ((*BENCH, "--seeds=0,x"), ("seeds: expected numbers from 0", "got '0,x'")),
    "bench, seed": ((*BENCH, "--seeds=-1"), ("seeds: expected numbers from 0", "got '-1'")),
    "bench, seconds": (
        (*BENCH, "--max-seconds=0"),
        ("max-seconds: expected more than 0, got 0.0",),
    ),
    "bench, training": ((*BENCH, "--train.batch_size=0"), ("batch_size: expected at least 1",)),
    "bench, option": ((*BENCH, "--famillies=maf"), ("did you mean '--families'",)),
    "bench, pickle": (
        bench_of("pickle"),
        ("root: expected a pickled frame in", "it names 'builtins.print'"),
    ),
    "bench, columns": (bench_of("columns"), ("root: expected 8 columns in", "given 5")),
    "bench, text": (bench_of("text"), ("root: expected an npy file, given", "data.npy'")),
    "bench, half of hepmass": (bench_of("half"), ("root: expected a folder with one of",)),
}
"""What was asked for, and words that the one line on standard error holds."""


class Call:
    """Prints when it is unpickled in the usual way."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return print, ("a pickle ran",)


def write_published(root: Path) -> None:
    """What the cases name."""
    write_power(root / "good")
    for name in ("columns/power", "text/power", "pickle/gas", "other"):
        (root / name).mkdir(parents=True)
    np.save(root / "columns/power/data.npy", np.ones((20, 5)))
    (root / "text/power/data.npy").write_text("text")
    (root / "pickle/gas/ethylene_CO.pickle").write_bytes(pickle.dumps(Call()))
    (root / "other/results.json").write_text("[]")
    write_hepmass(root / "half", 20)
    (root / "half/hepmass/1000_test.csv").unlink()
