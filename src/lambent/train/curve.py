"""``curve.png``: the likelihood over the steps."""

from __future__ import annotations

from pathlib import Path

from lambent.core.units import Units
from lambent.errors import MissingExtraError
from lambent.files import replacing
from lambent.train.metrics import read_metrics


def draw_curve(metrics: Path, path: Path, units: Units) -> None:
    """Draw the training and validation curves of a ``metrics.csv``.

    Args:
        metrics: The CSV file.
        path: The PNG file to write.
        units: What to draw it in; the file has bits per dimension.

    Raises:
        MissingExtraError: If matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingExtraError("matplotlib", "train") from error
    rows = read_metrics(metrics)
    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.subplots()
    for name, colour, width in (("train", "0.6", 0.8), ("validation", "C0", 1.8)):
        points = [
            (s, units.factor * r[f"{name}/bits_per_dim"])
            for s, r in rows.items()
            if f"{name}/bits_per_dim" in r
        ]
        if points:
            axes.plot(*zip(*points, strict=True), color=colour, linewidth=width, label=name)
    held_out = [
        units.factor * r["validation/bits_per_dim"]
        for r in rows.values()
        if "validation/bits_per_dim" in r
    ]
    if held_out:
        low, high = min(held_out), max(held_out)
        axes.set_ylim(low - 0.5 * max(0.1, high - low), high + 0.5 * max(0.1, high - low))
        best = low if units.factor > 0 else high
        axes.axhline(best, color="C0", linewidth=0.6, linestyle=":")
    axes.set_xlabel("step")
    axes.set_ylabel(units.title)
    if axes.lines:
        axes.legend(frameon=False)
    axes.spines[["top", "right"]].set_visible(False)
    with replacing(path) as temporary:
        figure.savefig(temporary, format="png", dpi=120)
