"""Outliers of rows that no normal law describes, at a false-alarm rate asked for.

python examples/outliers.py --out outliers.png
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from sklearn.covariance import EllipticEnvelope
from sklearn.datasets import make_moons
from sklearn.ensemble import IsolationForest

from lambent.estimators import FlowOutlierDetector
from lambent.files import replacing

RATE = 0.05


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="few rows, to see that it runs")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    rows, _ = make_moons(150 if options.quick else 4000, noise=0.08, random_state=0)
    fresh, _ = make_moons(20_000, noise=0.08, random_state=1)
    strange = np.random.default_rng(0).uniform((-1.6, -1.1), (2.6, 1.6), size=(20_000, 2))
    models = (
        FlowOutlierDetector(contamination=RATE, random_state=0),
        IsolationForest(contamination=RATE, random_state=0),
        EllipticEnvelope(contamination=RATE, random_state=0),
    )
    line = (np.linspace(-1.6, 2.6, 160), np.linspace(-1.1, 1.6, 160))
    grid = np.stack(np.meshgrid(*line), -1).reshape(-1, 2)
    drawn = Figure(figsize=(11, 3), layout="constrained")
    for axes, model in zip(drawn.subplots(1, 3), models, strict=True):
        model.fit(rows)
        alarms = (model.predict(fresh) == -1).mean()
        caught = (model.predict(strange) == -1).mean()
        name = type(model).__name__
        print(f"{name}: {alarms:.3f} of fresh rows, {caught:.3f} of uniform ones")
        inside = model.predict(grid).reshape(160, 160) == 1
        axes.contourf(*line, inside, levels=[0.5, 1.5], colors=["C0"], alpha=0.25)
        axes.scatter(*fresh[:600].T, s=2, color="0.3", linewidths=0)
        axes.set_title(f"{name}\nfalse alarms {alarms:.1%}, caught {caught:.0%}", fontsize=10)
        axes.set_aspect("equal")
    with replacing(options.out) as temporary:
        drawn.savefig(temporary, format="png", dpi=90)


if __name__ == "__main__":
    main()
