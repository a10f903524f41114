"""Are stated probabilities right? A classifier and a conditional density, on rows not seen.

python examples/calibration.py --out calibration.png
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split
from sklearn.naive_bayes import GaussianNB

from lambent.estimators import (
    FlowClassifier,
    FlowConditionalDensity,
    coverage_curve,
    probability_transform,
    reliability_curve,
)
from lambent.files import replacing


def waves(rows: int) -> tuple[np.ndarray, np.ndarray]:
    """A target with two branches, and noise that grows with the row."""
    draw = np.random.default_rng(0)
    x = draw.uniform(0, 6, size=(rows, 1))
    branch = np.sign(draw.normal(size=rows) + 0.5)
    return x, branch * np.sin(x[:, 0]) + (0.05 + 0.05 * x[:, 0]) * draw.normal(size=rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="few rows, to see that it runs")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    drawn = Figure(figsize=(13, 3.4), layout="constrained")
    reliability, branches, histogram, coverage = drawn.subplots(1, 4)

    X, y = load_breast_cancer(return_X_y=True)
    X = X[:, [1, 4]]  # texture and smoothness: two columns that do not part the classes
    if options.quick:
        X, y = X[:130], y[:130]
    train, test, of_train, of_test = train_test_split(X, y, test_size=0.4, random_state=0)
    classifier = FlowClassifier(random_state=0).fit(train, of_train)
    stated, came_true = reliability_curve(classifier, test, of_test, bins=8)
    naive = GaussianNB().fit(train, of_train)
    reliability.plot(stated, came_true, "o-", ms=3, label="FlowClassifier")
    reliability.plot(
        *reliability_curve(naive, test, of_test, bins=8), "o-", ms=3, label="naive Bayes"
    )
    reliability.plot([0, 1], [0, 1], color="0.6", lw=1)
    reliability.set(xlabel="stated probability", ylabel="share that came true")
    reliability.set_title("breast cancer, two columns", fontsize=10)
    reliability.legend(fontsize=8)
    print(f"accuracy {classifier.score(test, of_test):.3f}, naive {naive.score(test, of_test):.3f}")

    X, y = waves(150 if options.quick else 4000)
    train, test, of_train, of_test = train_test_split(X, y, random_state=0)
    density = FlowConditionalDensity(random_state=0).fit(train, of_train)
    line = np.linspace(0, 6, 120)[:, None]
    branches.scatter(test[:, 0], of_test, s=2, color="0.7", linewidths=0)
    for quantile, style in zip(
        density.quantiles(line, [0.05, 0.25, 0.5, 0.75, 0.95]).T,
        ["C0", "C1", "C3", "C1", "C0"],
        strict=True,
    ):
        branches.plot(line[:, 0], quantile, color=style, lw=1)
    branches.set(xlabel="x", ylabel="y")
    branches.set_title("quantiles, 5 % to 95 %", fontsize=10)
    histogram.hist(probability_transform(density, test, of_test)[:, 0], 20, density=True)
    histogram.axhline(1, color="0.6", lw=1)
    histogram.set(xlabel="distribution function at the target", ylabel="density")
    histogram.set_title("flat if the model is right", fontsize=10)
    wanted, inside = coverage_curve(density, test, of_test)
    coverage.plot(wanted, inside, "o-", ms=3)
    coverage.plot([0, 1], [0, 1], color="0.6", lw=1)
    coverage.set(xlabel="stated coverage", ylabel="share inside")
    coverage.set_title("central intervals", fontsize=10)
    print(f"coverage off by at most {np.abs(wanted - inside).max():.3f}")

    with replacing(options.out) as temporary:
        drawn.savefig(temporary, format="png", dpi=90)


if __name__ == "__main__":
    main()
