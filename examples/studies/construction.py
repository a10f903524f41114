"""Linear maps as sixteen couplings: how exact it is, and what a mirror comes to.

    python examples/studies/construction.py [--quick] [--out FOLDER]

Left, the largest error of an entry of the computed construction, against the size of the map.
Right, couplings fitted to rotations and to mirrored rotations: the distance from a mirror stays
above its smallest singular value, and the map becomes singular on the way there.
"""

from __future__ import annotations

import torch
from linear_fit import fit
from matplotlib.figure import Figure
from study import Study, begin, log_axis, tidy
from targets import target

from lambent.numerics import linear_couplings, product

SIZE = 4
"""Of the rotations."""


def errors(kind: str, n: int, bases: int, count: int) -> dict:
    found, counts = [], set()
    for seed in range(count):
        t = target(kind, n, torch.Generator().manual_seed(seed))
        couplings = linear_couplings(t, bases=bases, seed=seed)
        counts.add(len(couplings))
        found.append(float((product(couplings) - t).abs().max()))
    found.sort()
    return {"median": found[len(found) // 2], "largest": found[-1], "couplings": sorted(counts)}


def mirrors(study: Study) -> dict:
    """Fits of rotations and of mirrored rotations by eight couplings."""
    figures = {}
    for name, mirrored in (("rotation", False), ("mirror", True)):
        generator = torch.Generator().manual_seed(0)
        count = 2 if study.quick else 8
        targets = [target("rotation", SIZE, generator, mirrored=mirrored) for _ in range(count)]
        steps = (30, 5) if study.quick else (3000, 200)
        ends, products, path = fit(torch.stack(targets), 8, steps=steps[0], polish=steps[1])
        figures[name] = {
            "error_median": float(ends.median()),
            "error_least": float(ends.min()),
            "condition_median": float(torch.linalg.cond(products).median()),
            "path_median": path.median(1).values[:: max(1, steps[0] // 60)].tolist(),
            "steps": steps[0],
        }
    figures["floor"] = SIZE**-0.5
    return figures


def main() -> None:
    study = begin(__doc__, __file__)
    sizes = (2, 4) if study.quick else (2, 4, 6, 8, 12, 16, 24, 32)
    count = 2 if study.quick else 20
    arms = {
        "normal, one basis": ("normal", 1),
        "normal, best of 20": ("normal", 20),
        "permutation, best of 20": ("permutation", 20),
    }
    construction = {
        name: {n: errors(kind, n, bases, count) for n in sizes}
        for name, (kind, bases) in arms.items()
    }
    figures = {"targets": count, "construction": construction, "mirrors": mirrors(study)}
    figure = Figure(figsize=(10, 4), layout="constrained")
    left, right = figure.subplots(1, 2)
    for i, (name, rows) in enumerate(construction.items()):
        for what, style in (("median", "o-"), ("largest", "o:")):
            values = [max(rows[n][what], 1e-17) for n in sizes]
            left.plot(sizes, values, style, color=f"C{i}", markersize=4, label=f"{name}, {what}")
    log_axis(left, "x", "y")
    left.set_xticks(sizes)
    left.set(xlabel="size of the map", ylabel="largest error of an entry")
    left.legend(frameon=False, fontsize=8)
    for i, name in enumerate(("rotation", "mirror")):
        row = figures["mirrors"][name]
        path = row["path_median"]
        places = [1 + row["steps"] * j / len(path) for j in range(len(path))]
        right.plot(places, path, color=f"C{i}", label=name)
    floor = figures["mirrors"]["floor"]
    right.axhline(floor, color="black", linestyle=":", label="smallest singular value")
    log_axis(right, "y")
    right.set(xlabel="step of Adam", ylabel="relative error of the fit, median")
    right.legend(frameon=False)
    tidy(figure)
    study.save(figure, figures)


if __name__ == "__main__":
    main()
