"""scikit-learn's check_estimator for every estimator, each check with its outcome.

python benchmarks/estimator_checks.py [--out FOLDER]
"""

from __future__ import annotations

import argparse
import os
import warnings
from pathlib import Path
from typing import Any

os.environ["SCIPY_ARRAY_API"] = "1"  # before scipy is imported, or one check is skipped

import sklearn
import torch
from emit import write_text
from sklearn.utils.estimator_checks import check_estimator

from lambent import estimators

NAMES = ("FlowDensity", "FlowOutlierDetector", "FlowClassifier", "FlowConditionalDensity")


def outcomes(name: str) -> list[dict[str, Any]]:
    """The checks of one estimator, with its defaults."""
    found: list[dict[str, Any]] = check_estimator(
        getattr(estimators, name)(), on_fail=None, on_skip=None
    )
    return found


def page(by_estimator: dict[str, list[dict[str, Any]]]) -> str:
    """The outcome of every check, estimator by estimator."""
    lines = [
        "# check_estimator\n",
        f"scikit-learn {sklearn.__version__}, `check_estimator(Estimator())`: every check, none "
        "expected to fail. `python benchmarks/estimator_checks.py` wrote this page.\n",
    ]
    for name, results in by_estimator.items():
        passed = sum(result["status"] == "passed" for result in results)
        lines.append(f"## {name}: {passed} of {len(results)} passed\n")
        lines.append("| check | outcome |")
        lines.append("|---|---|")
        for result in results:
            why = f": {result['exception']}" if result["exception"] else ""
            lines.append(f"| {result['check_name']} | {result['status']}{why} |")
        lines.append("")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("docs/benchmarks"))
    options = parser.parse_args()
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    found = {name: outcomes(name) for name in NAMES}
    for name, results in found.items():
        bad = [r["check_name"] for r in results if r["status"] != "passed"]
        print(f"{name}: {len(results) - len(bad)} of {len(results)} passed", *bad)
    write_text(options.out / "estimator_checks.md", page(found))


if __name__ == "__main__":
    main()
