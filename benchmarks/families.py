"""Families of rows on one table, trained from the command line, beside a normal.

    python benchmarks/families.py --data DIR [--steps 800] [--out docs/benchmarks]

``DIR`` holds ``magic.parquet``, at any depth; or name a file of numbers. Each family is trained by
its preset ``NAME_table``, by the same steps and batches, and measured on the rows held out. The
normal has the mean and the full covariance of the training rows.
"""

from __future__ import annotations

import argparse
import json
import math
import subprocess
import sys
import tempfile
from pathlib import Path

import torch
from emit import write_json, write_text

from lambent.data import DataConfig, Table, load_events

FAMILIES = (
    "nice",
    "realnvp",
    "made",
    "maf",
    "maf_mog",
    "iaf",
    "nsf",
    "flowpp",
    "planar",
    "radial",
    "sylvester",
    "naf",
    "bernstein",
)
TABLE = "magic.parquet"


def found(data: str) -> str:
    """The file, or the table in a folder."""
    if Path(data).is_file():
        return data
    files = sorted(Path(data).rglob(TABLE))
    if not files:
        raise SystemExit(f"--data: expected a file or a folder with {TABLE} in it, got {data}")
    return str(files[0])


def rows(data: str, split: str) -> torch.Tensor:
    found = load_events(data, DataConfig(split=split))
    assert isinstance(found, Table), data
    return found.rows.double()


def normal(data: str) -> float:
    """Nats a held-out row of the normal with the training rows' moments."""
    train = rows(data, "train")
    density = torch.distributions.MultivariateNormal(train.mean(0), train.T.cov())
    return float(density.log_prob(rows(data, "validation")).mean())


def trained(family: str, data: str, steps: int) -> dict:
    """What the command line says of a run."""
    settings = {"max_steps": steps, "loggers": "[]"}
    with tempfile.TemporaryDirectory() as folder:
        command = [
            "train",
            "--model",
            f"{family}_table",
            "--data",
            data,
            "--out",
            f"{folder}/run",
            "--json",
        ]
        command += [f"--train.{name}={value}" for name, value in settings.items()]
        done = subprocess.run(
            [sys.executable, "-m", "lambent.cli", *command],
            stdout=subprocess.PIPE,
            check=True,
            text=True,
        )
    said = json.loads(done.stdout)
    nats = math.log(2) * said["standard_error"] * len(rows(data, "validation")[0])
    return {
        "log_likelihood": said["log_likelihood"],
        "standard_error": nats,
        "parameters": said["parameters"],
        "seconds": said["seconds"],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, help=f"a folder with {TABLE}, or a file")
    parser.add_argument("--steps", type=int, default=800)
    parser.add_argument("--out", type=Path, default=Path("docs/benchmarks"))
    options = parser.parse_args()
    options.data = found(options.data)
    train, held_out = rows(options.data, "train"), rows(options.data, "validation")
    figures = {
        "table": Path(options.data).stem,
        "columns": train.shape[1],
        "rows": {"train": len(train), "held_out": len(held_out)},
        "steps": options.steps,
        "normal": normal(options.data),
        "families": {name: trained(name, options.data, options.steps) for name in FAMILIES},
    }
    write_json(options.out / "families.json", figures)
    write_text(options.out / "families.md", page(figures))


def page(figures: dict) -> str:
    lines = [
        "# Families of rows",
        "",
        f"Nats a held-out row of `{figures['table']}` ({figures['columns']} columns, "
        f"{figures['rows']['train']:,} rows for training, {figures['rows']['held_out']:,} held "
        f"out), after {figures['steps']} steps of 256 rows by each family's preset `NAME_table`, "
        "which starts at the normal of full covariance. One run each, at equal steps, neither at "
        "equal time nor at equal parameters; higher is better.",
        "",
        "| | log-likelihood | standard error | parameters | seconds |",
        "|---|---|---|---|---|",
        f"| normal, full covariance | {figures['normal']:.2f} | | | |",
    ]
    for name, row in figures["families"].items():
        lines.append(
            f"| `{name}` | {row['log_likelihood']:.2f} | {row['standard_error']:.2f} | "
            f"{row['parameters']:,} | {row['seconds']:.0f} |"
        )
    lines += [
        "",
        "The seconds are those of a machine that did other things too.",
        "",
        "`python benchmarks/families.py --data DIR` measures this again.",
        "",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
