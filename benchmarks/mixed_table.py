"""A table of columns of every kind, modelled and drawn: does what is drawn look like the table?

    python benchmarks/mixed_table.py --data diamonds.csv [--steps 4000] [--out docs/benchmarks]

``diamonds.csv`` is the one of ggplot2, as the package `pydataset` 0.2.0 has it, in
``pydataset/resources.tar.gz``. Stones without a size, of more than 2 cm, or of a table width that
fewer than ten have are left out. The flow is trained from the command line on nine tenths of the
rows; as many rows are drawn as were held out, and both are compared: each column by the largest
distance of the two distribution functions (numbers) or by half the sum of the differences of the
shares (categories), each pair of columns by the difference of their association: Spearman's
correlation of two numbers, Cramér's V of two categories, and the correlation ratio of a number's
ranks given a category. Beside them stands what two random halves of the table's own rows give.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from itertools import combinations
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
from emit import write_json, write_text
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy import stats

from lambent.files import replacing

KINDS = "carat=step:0.01,depth=step:0.1,table=category,x=step:0.01,y=step:0.01,z=step:0.01"
"""All numbers but the price are decimals that were rounded; the width of a stone's table is nearly
always a whole number."""
GREY, RED = "#9aa5b1", "#c2410c"
FEWEST = 10
"""Stones of rarer widths of the table are left out: a category is to be there on both sides."""
MARGINAL, PAIRWISE = 0.05, 0.05
"""The largest difference of a column, and of a pair, that counts as a match."""


def stones(path: str) -> pd.DataFrame:
    """The table without impossible stones."""
    table = pd.read_csv(path)
    table = table.loc[:, [not name.startswith("Unnamed") for name in table.columns]]
    sizes = table[["x", "y", "z"]]
    table = table[(sizes.min(1) > 0) & (sizes.max(1) < 20)]
    alike = table["table"].map(table["table"].value_counts())
    return table[alike >= FEWEST].reset_index(drop=True)


def is_number(column: pd.Series) -> bool:
    """Whether a column is of numbers."""
    return bool(pd.api.types.is_numeric_dtype(column))


def difference(one: pd.Series, other: pd.Series) -> float:
    """How far two columns' laws are apart, from 0 to 1."""
    if is_number(one):
        return float(stats.ks_2samp(one, other).statistic)
    shares = pd.concat(
        [one.value_counts(normalize=True), other.value_counts(normalize=True)], axis=1
    ).fillna(0.0)
    return float((shares.iloc[:, 0] - shares.iloc[:, 1]).abs().sum() / 2)


def association(table: pd.DataFrame, first: str, second: str) -> float:
    """How much two columns of a table tell of each other; signed where both are numbers."""
    a, b = table[first], table[second]
    if is_number(a) and is_number(b):
        return float(stats.spearmanr(a, b).statistic)
    if not is_number(a) and not is_number(b):
        return float(stats.contingency.association(pd.crosstab(a, b).to_numpy(), method="cramer"))
    number, category = (a, b) if is_number(a) else (b, a)
    ranks = number.rank()
    means = ranks.groupby(category).transform("mean")
    return float(np.sqrt(means.var() / ranks.var()))


def associations(table: pd.DataFrame) -> npt.NDArray[np.float64]:
    """All of them as a matrix."""
    names = list(table.columns)
    found = np.eye(len(names))
    for i, j in combinations(range(len(names)), 2):
        found[i, j] = found[j, i] = association(table, names[i], names[j])
    return found


def lambent(*arguments: str) -> None:
    subprocess.run([sys.executable, "-m", "lambent.cli", *arguments], check=True)


def drawn(table: pd.DataFrame, steps: int, folder: Path) -> tuple[pd.DataFrame, pd.DataFrame, str]:
    """Rows held out, as many rows of a flow trained on the others, and the flow's own figure."""
    held_out = table.sample(len(table) // 10, random_state=0)
    rest = table.drop(held_out.index)
    for name, part in {"train": rest, "held_out": held_out}.items():
        part.to_parquet(folder / f"{name}.parquet", index=False)
    run, rows, scores = (str(folder / name) for name in ("run", "drawn.parquet", "scores.parquet"))
    lambent(
        *("train", "--model=nsf_table", f"--data={folder / 'train.parquet'}", f"--out={run}"),
        *(f"--data-kinds={KINDS}", f"--train.max_steps={steps}", "--train.batch_size=512"),
    )
    lambent("sample", run, f"--n={len(held_out)}", f"--out={rows}")
    lambent(
        *("score", run, f"--data={folder / 'held_out.parquet'}", "--data-split=all"),
        f"--out={scores}",
    )
    nats = pd.read_parquet(scores)["log_density"]
    figure = f"{nats.mean():.3f} ± {nats.std() / len(nats) ** 0.5:.3f}"
    return held_out.reset_index(drop=True), pd.read_parquet(rows), figure


def marginal(axes: Axes, real: pd.Series, made: pd.Series) -> None:
    """One column of the table, and of what was drawn over it."""
    if is_number(real):
        low, high = np.quantile(real, [0.001, 0.999])
        bins = np.linspace(low, high, 60)
        axes.hist(real, bins, density=True, color=GREY, label="table")
        axes.hist(made, bins, density=True, histtype="step", color=RED, label="drawn")
    else:
        order = sorted(real.unique())
        for shift, part, colour in ((0.0, real, GREY), (0.4, made, RED)):
            shares = part.value_counts(normalize=True).reindex(order, fill_value=0.0)
            axes.bar(np.arange(len(order)) + shift, shares, 0.4, color=colour)
        axes.set_xticks(np.arange(len(order)) + 0.2, order, rotation=30, fontsize=7)
    axes.set_title(real.name)
    axes.set_yticks([])


def picture(real: pd.DataFrame, made: pd.DataFrame, path: Path) -> None:
    """Marginals over each other, associations side by side, and price against carat."""
    names = list(real.columns)
    figure = Figure(figsize=(15, 14), layout="constrained")
    top, middle, bottom = figure.subfigures(3, 1, height_ratios=[1.2, 1, 1])
    for axes, name in zip(top.subplots(2, 5).flat, names, strict=True):
        marginal(axes, real[name], made[name])
    top.axes[0].legend()
    pairs = {"table": associations(real), "drawn": associations(made)}
    pairs["drawn minus table"] = pairs["drawn"] - pairs["table"]
    for axes, (word, matrix) in zip(middle.subplots(1, 3), pairs.items(), strict=True):
        bound = 0.1 if "minus" in word else 1.0
        shown = axes.imshow(matrix, cmap="RdBu_r", vmin=-bound, vmax=bound)
        axes.set_xticks(range(len(names)), names, rotation=60, fontsize=8)
        axes.set_yticks(range(len(names)), names, fontsize=8)
        axes.set_title(f"associations: {word}")
        middle.colorbar(shown, ax=axes, shrink=0.8)
    sides = {"table": real, "drawn": made}
    for axes, (word, part) in zip(bottom.subplots(1, 2), sides.items(), strict=True):
        for cut in sorted(real["cut"].unique()):
            chosen = part[part["cut"] == cut].head(1500)
            axes.scatter(chosen["carat"], chosen["price"], s=3, alpha=0.5, label=cut)
        axes.set(xlim=(0, 3), ylim=(300, 20000), yscale="log", xlabel="carat", ylabel="price")
        axes.set_title(f"{word}, by cut")
        axes.legend(fontsize=7, markerscale=3)
    with replacing(path) as temporary:
        figure.savefig(temporary, dpi=70)


def markdown(found: dict[str, object], rows: list[tuple[str, str, float, float]]) -> str:
    """The page of the docs."""
    intro = (
        f"The diamonds of ggplot2, {found['rows']:,} stones of ten columns: three categories, a "
        "count, five rounded decimals, and one whose values are taken as categories."
        " A neural spline flow, its categories exact, trained from "
        f"the command line in {found['steps']:,} steps of 512; {found['held_out']:,} rows were "
        "held out and as many drawn. Log-likelihood of the held-out rows: "
        f"≥ {found['log_likelihood']} nats a row."
    )
    pairs = (
        f"Of the {found['pairs']} pairs of columns the association differs by "
        f"{found['pair_mean']:.3f} in the mean and {found['pair_largest']:.3f} at most "
        f"({found['pair_worst']}); of two halves of the table by {found['pair_floor']:.3f}. "
        f"A difference up to {MARGINAL} of a column and {PAIRWISE} of a pair counts as a match: "
        f"{found['columns_matched']} of {len(rows)} columns and {found['pairs_matched']} of "
        f"{found['pairs']} pairs match."
    )
    lines = [
        f"# A table of every kind of column\n\n{intro}\n",
        "| column | kind of difference | table and drawn | two halves of the table |",
        "|---|---|---|---|",
        *(f"| {name} | {kind} | {value:.3f} | {floor:.3f} |" for name, kind, value, floor in rows),
        f"\n{pairs}\n",
        "![Marginals, associations, and price against carat](mixed_table.png)\n",
        "`python benchmarks/mixed_table.py --data diamonds.csv` measures this again and says how "
        "differences are defined.",
    ]
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True)
    parser.add_argument("--steps", type=int, default=4000)
    parser.add_argument("--out", type=Path, default=Path("docs/benchmarks"))
    options = parser.parse_args()
    table = stones(options.data)
    with tempfile.TemporaryDirectory() as folder:
        real, made, figure = drawn(table, options.steps, Path(folder))
    halves = table.sample(2 * len(real), random_state=1)
    one, other = halves[: len(real)], halves[len(real) :]
    rows = [
        (
            name,
            "distribution functions" if is_number(real[name]) else "shares",
            difference(real[name], made[name]),
            difference(one[name], other[name]),
        )
        for name in real.columns
    ]
    names = list(real.columns)
    upper = np.triu_indices(len(names), 1)
    apart = np.abs(associations(made) - associations(real))[upper]
    floor = np.abs(associations(one) - associations(other))[upper]
    worst = int(apart.argmax())
    found: dict[str, object] = {
        "rows": len(table),
        "held_out": len(real),
        "steps": options.steps,
        "log_likelihood": figure,
        "columns": {name: {"difference": value, "floor": low} for name, _, value, low in rows},
        "columns_matched": sum(value <= MARGINAL for _, _, value, _ in rows),
        "pairs": len(apart),
        "pair_mean": float(apart.mean()),
        "pair_largest": float(apart.max()),
        "pair_worst": f"{names[upper[0][worst]]} and {names[upper[1][worst]]}",
        "pair_floor": float(floor.max()),
        "pairs_matched": int((apart <= PAIRWISE).sum()),
    }
    write_json(options.out / "mixed_table.json", found)
    write_text(options.out / "mixed_table.md", markdown(found, rows))
    picture(real, made, options.out / "mixed_table.png")
    sys.stdout.write(json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    main()
