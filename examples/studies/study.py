"""What the studies beside this file share: their options, and how they put out what they found."""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any, NamedTuple

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lambent.files import replacing

DOCS = Path(__file__).parents[2] / "docs" / "studies"


class Study(NamedTuple):
    """A run of a study."""

    name: str
    quick: bool
    out: Path
    start: float

    def save(self, figure: Figure, figures: dict[str, Any]) -> None:
        """Write NAME.png and NAME.json."""
        with replacing(self.out / f"{self.name}.png") as temporary:
            figure.savefig(temporary, format="png", dpi=90)
        cost = {"quick": self.quick, "cpu_seconds": round(time.process_time() - self.start)}
        with replacing(self.out / f"{self.name}.json") as temporary:
            temporary.write_text(json.dumps({**cost, **figures}, indent=1) + "\n")


def begin(about: str | None, script: str) -> Study:
    """Read the options; one thread, so that the figures are the same again."""
    parser = argparse.ArgumentParser(description=(about or "").splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="in seconds, to see that it runs")
    parser.add_argument("--out", type=Path, default=DOCS, help="folder of the figure and the JSON")
    options = parser.parse_args()
    torch.set_num_threads(1)
    return Study(Path(script).stem, options.quick, options.out, time.process_time())


def log_axis(axes: Axes, *which: str) -> None:
    """Logarithmic axes with plain numbers."""
    for name in which:
        axis = axes.xaxis if name == "x" else axes.yaxis
        axes.set(**{f"{name}scale": "log"})
        axis.set_major_formatter("{x:g}")
        axis.set_minor_formatter("")


def tidy(figure: Figure) -> None:
    """No frames above and to the right."""
    for axes in figure.axes:
        axes.spines[["top", "right"]].set_visible(False)
