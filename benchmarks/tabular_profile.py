"""Where training steps and draws of this package's flows go, into the page of ``tabular.py``.

    python benchmarks/tabular_profile.py [--features 43] [--batch 512] [--out docs/benchmarks]

Shares of processor time by kind of operation, by torch's profiler, one thread.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from pathlib import Path
from typing import Any

import torch
from emit import write_json, write_text
from tabular import BINS, FAMILIES, LAYERS, WIDTH, tasks
from tabular_report import page
from torch.profiler import profile

KINDS = {
    "aten::mm": "matrix products",
    "aten::addmm": "matrix products",
    "aten::_fused_adam_": "Adam",
    "aten::gather": "splines: finding bins",
    "aten::scatter_add_": "splines: finding bins",
    "aten::ge": "splines: finding bins",
    "aten::copy_": "copies",
    "aten::fill_": "copies",
    "aten::cat": "copies",
    "aten::narrow": "views and allocations",
    "aten::t": "views and allocations",
    "aten::transpose": "views and allocations",
    "aten::unbind": "views and allocations",
    "aten::slice": "views and allocations",
    "aten::select": "views and allocations",
    "aten::as_strided": "views and allocations",
    "aten::empty_strided": "views and allocations",
    "aten::empty": "views and allocations",
}
ROUNDS = {"train": 10, "sample": 2}


def shares(what: str, family: str, features: int, batch: int) -> dict[str, float]:
    """Percent of a training step or of draws by kind of operation, largest first."""
    runs, _ = tasks(family, features, batch, ["ours"], compiled=False)
    run = runs[what]["ours"]
    for _ in range(3):
        run()
    with profile() as record:
        for _ in range(ROUNDS[what]):
            run()
    spent: Counter[str] = Counter()
    for event in record.key_averages():
        name = event.key
        other = "elementwise and sums" if name.startswith("aten::") else "Python and autograd"
        spent[KINDS.get(name, other)] += event.self_cpu_time_total
    return {kind: round(100 * part / spent.total(), 1) for kind, part in spent.most_common()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--features", type=int, default=43)
    parser.add_argument("--batch", type=int, default=512)
    parser.add_argument("--out", type=Path, default=Path("docs/benchmarks"))
    options = parser.parse_args()
    torch.set_num_threads(1)
    path = options.out / "tabular.json"
    whole: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
    whole |= {"threads": 1, "layers": LAYERS, "width": WIDTH, "bins": BINS}
    whole["torch"] = torch.__version__
    whole["profile"] = {
        "features": options.features,
        "batch": options.batch,
        **{
            what: {
                family: shares(what, family, options.features, options.batch) for family in FAMILIES
            }
            for what in ("train", "sample")
        },
    }
    write_json(path, whole)
    write_text(options.out / "tabular.md", page(whole))


if __name__ == "__main__":
    main()
