"""Linear maps fitted by gradients, against the number of couplings.

    python examples/studies/fitting.py [--quick] [--out FOLDER]

Each target is fitted from several random starts in float64, by Adam and then L-BFGS. One coupling
changes one half.
"""

from __future__ import annotations

import torch
from linear_fit import fit
from matplotlib.figure import Figure
from study import begin, log_axis, tidy
from targets import KINDS, target

COUPLINGS = (1, 2, 3, 4, 5, 6, 8, 12, 16)
RESTARTS = 3
SIZE = 8


def main() -> None:
    study = begin(__doc__, __file__)
    size, restarts = (4, 2) if study.quick else (SIZE, RESTARTS)
    numbers = (2, 4) if study.quick else COUPLINGS
    steps, polish = (20, 5) if study.quick else (1500, 200)
    generator = torch.Generator().manual_seed(0)
    each = torch.stack([target(kind, size, generator) for kind in KINDS])
    targets = each.repeat_interleave(restarts, 0)
    rows: dict[str, dict[int, dict]] = {kind: {} for kind in KINDS}
    for k in numbers:
        ends, products, _ = fit(targets, k, steps=steps, polish=polish)
        conditions = torch.linalg.cond(products)
        for i, kind in enumerate(KINDS):
            own = slice(i * restarts, (i + 1) * restarts)
            best = int(ends[own].argmin())
            rows[kind][k] = {
                "best": float(ends[own][best]),
                "median": float(ends[own].median()),
                "condition_of_best": float(conditions[own][best]),
            }
        print(k, {kind: rows[kind][k]["best"] for kind in KINDS}, flush=True)
    conditions = {kind: float(torch.linalg.cond(t)) for kind, t in zip(KINDS, each, strict=True)}
    figure = Figure(figsize=(10, 4), layout="constrained")
    for axes, what in zip(figure.subplots(1, 2, sharey=True), ("best", "median"), strict=True):
        for i, kind in enumerate(KINDS):
            values = [max(rows[kind][k][what], 1e-17) for k in numbers]
            axes.plot(numbers, values, "o-", color=f"C{i}", markersize=4, label=kind)
        log_axis(axes, "x", "y")
        axes.set_xticks(numbers)
        axes.set(xlabel="couplings", title=f"{what} of {restarts} starts")
    figure.axes[0].set_ylabel("relative error")
    figure.axes[1].legend(frameon=False)
    tidy(figure)
    settings = {"size": size, "restarts": restarts, "adam_steps": steps, "lbfgs_steps": polish}
    study.save(figure, {**settings, "condition_of_target": conditions, "errors": rows})


if __name__ == "__main__":
    main()
