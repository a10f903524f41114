"""The page and the figure of what ``estimators.py`` measured."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from matplotlib.figure import Figure


def mean_and_error(values: list[float]) -> tuple[float, float]:
    """A mean over splits, and its standard error."""
    return float(np.mean(values)), float(np.std(values, ddof=1) / math.sqrt(len(values)))


def page(whole: dict[str, Any]) -> str:
    """The page."""
    parts = [
        "# Estimators beside others\n\n`python benchmarks/estimators.py --data DIR`: one thread, "
        "the estimators with their defaults, and so many seconds of processor time for each fit at "
        "most as the tables say.\n\n![Log-likelihoods and areas](estimators.png)\n"
    ]
    if "magic" in whole:
        parts.append(_magic(whole["magic"]))
    if "shuttle" in whole:
        parts.append(_shuttle(whole["shuttle"]))
    if "small" in whole:
        parts.append(_small(whole["small"]))
    return "\n".join(parts)


def _magic(part: dict[str, Any]) -> str:
    lines = [
        f"## Density: MAGIC gamma telescope, {part['rows']} rows of {part['columns']} columns\n",
        f"Nats a row of the fifth held out; one column a split, ± the standard error over rows. "
        f"Budget {part['budget']:g} s. The mixture has as many normals as BIC chose; the bandwidth "
        "is by cross-validation; zuko's and nflows's flows see standardised columns, Adam along a "
        "cosine over the budget, and keep the best look at a tenth held out.\n",
    ]
    splits = len(next(iter(part["methods"].values())))
    header = " | ".join(f"split {i}" for i in range(splits))
    lines += [f"| method | {header} | mean | seconds |", "|---" * (splits + 3) + "|"]
    order = sorted(part["methods"].items(), key=lambda m: -np.mean([r["nats"] for r in m[1]]))
    for name, results in order:
        cells = " | ".join(f"{r['nats']:.2f} ± {r['error']:.2f}" for r in results)
        mean = np.mean([r["nats"] for r in results])
        seconds = np.mean([r["seconds"] for r in results])
        lines.append(f"| {name} | {cells} | {mean:.2f} | {seconds:.0f} |")
    return "\n".join(lines) + "\n"


def _shuttle(part: dict[str, Any]) -> str:
    lines = [
        "## Outliers: Statlog shuttle\n",
        f"Trained on {part['trained_on']} normal rows; area under the ROC curve on "
        f"{part['normal']} other normal rows and {part['strange']} anomalies. "
        f"Budget {part['budget']:g} s; seconds are of fit and scores.\n",
        "| method | ROC AUC | seconds |",
        "|---|---|---|",
    ]
    for name, result in sorted(part["methods"].items(), key=lambda m: -m[1]["auc"]):
        lines.append(f"| {name} | {result['auc']:.4f} | {result['seconds']:.0f} |")
    return "\n".join(lines) + "\n"


def _small(part: dict[str, Any]) -> str:
    lines = [
        "## Few rows\n",
        "Nats a row by which `FlowDensity` lies above the normal law of full covariance fitted to "
        "the same rows by maximum likelihood, on the fifth held out; mean and standard error over "
        "random splits.\n",
        "| table | rows | columns | gain | splits that trained | seconds a fit |",
        "|---|---|---|---|---|---|",
    ]
    for name, r in part["tables"].items():
        mean, error = mean_and_error(r["gains"])
        trained = sum(step > 0 for step in r["steps"])
        lines.append(
            f"| {name} | {r['rows']} | {r['columns']} | {mean:+.3f} ± {error:.3f} | "
            f"{trained} of {len(r['steps'])} | {r['seconds']:.1f} |"
        )
    return "\n".join(lines) + "\n"


def figure(whole: dict[str, Any]) -> Figure:
    """Densities of magic, areas of shuttle, gains on the small tables."""
    drawn = Figure(figsize=(11, 3.4), layout="constrained")
    left, middle, right = drawn.subplots(1, 3)
    magic = whole.get("magic", {}).get("methods", {})
    for i, results in enumerate(magic.values()):
        nats = [r["nats"] for r in results]
        errors = [2 * r["error"] for r in results]
        places = i + 0.12 * (np.arange(len(nats)) - (len(nats) - 1) / 2)
        left.errorbar(places, nats, errors, fmt="o", ms=3, color="C3" if i == 0 else "C0")
    left.set_xticks(range(len(magic)), list(magic), rotation=35, ha="right", fontsize=8)
    left.set_ylabel("nats a row held out (± 2 errors)")
    left.set_title("magic", fontsize=10)
    shuttle = whole.get("shuttle", {}).get("methods", {})
    middle.barh(list(shuttle), [1 - r["auc"] for r in shuttle.values()], color="C0")
    middle.set_xlabel("1 - area under the ROC curve")
    middle.tick_params(axis="y", labelsize=8)
    middle.invert_yaxis()
    middle.set_title("shuttle", fontsize=10)
    small = whole.get("small", {}).get("tables", {})
    for i, r in enumerate(small.values()):
        mean, error = mean_and_error(r["gains"])
        right.plot(np.full(len(r["gains"]), i), r["gains"], "o", ms=3, color="C0", alpha=0.4)
        right.errorbar([i], [mean], [error], fmt="o", color="C3")
    right.axhline(0, color="0.5", lw=1)
    right.set_xticks(range(len(small)), list(small), fontsize=8)
    right.set_ylabel("nats a row over the normal law")
    right.set_title("few rows", fontsize=10)
    return drawn
