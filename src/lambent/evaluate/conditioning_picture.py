"""A picture of how unevenly a flow stretches space."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from torch import Tensor

from lambent.errors import MissingExtraError
from lambent.evaluate.conditioning import Conditioning
from lambent.files import replacing

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_SHOWN = 6
"""Events whose directions are shown."""

_ROWS = ("event", "stretched\nmost", "stretched\nleast")


def draw_conditioning(found: Conditioning, path: Path) -> None:
    """Draw the singular values at each event and, of images, the directions of the extremes.

    Args:
        found: What was measured.
        path: The PNG file to write.

    Raises:
        MissingExtraError: If matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingExtraError("matplotlib", "train") from error
    points = found.points
    images = points.ndim == 4 and points.shape[1] in (1, 3)
    shown = min(MOST_SHOWN, len(points)) if images else 0
    figure = Figure(figsize=(5 + 1.3 * shown, 3.9), layout="constrained")
    grid = figure.add_gridspec(3, 1 + shown, width_ratios=[4, *shown * [1]])
    _spectra(figure.add_subplot(grid[:, 0]), found)
    rows = (points, found.most_stretched, found.least_stretched)
    for row, (batch, name) in enumerate(zip(rows, _ROWS, strict=True)):
        for i in range(shown):
            axes = figure.add_subplot(grid[row, 1 + i])
            _image(axes, batch[i], signed=row > 0)
            if i == 0:
                axes.set_ylabel(name)
    with replacing(path) as temporary:
        figure.savefig(temporary, format="png", dpi=120)


def _spectra(axes: Axes, found: Conditioning) -> None:
    """Singular values in falling order, one line an event; the middle is left out if unknown."""
    count = found.singular_values.shape[1]
    places = list(range(1, count + 1))
    ends = [slice(None)]
    if found.method == "lanczos":
        half = count // 2
        places[half:] = range(found.dims - half + 1, found.dims + 1)
        ends = [slice(half), slice(half, None)]
    for i, values in enumerate(found.singular_values.numpy()):
        for end in ends:
            axes.plot(places[end], values[end], ".-", color=f"C{i % 10}", markersize=3, linewidth=1)
    axes.set(xlabel="number", ylabel="singular value of dz/dx", yscale="log")
    axes.yaxis.set_major_formatter("{x:g}")
    axes.yaxis.set_minor_formatter("")
    axes.set_title(f"condition number {float(found.condition.median()):.3g} (median)", fontsize=10)
    axes.spines[["top", "right"]].set_visible(False)


def _image(axes: Axes, image: Tensor, *, signed: bool) -> None:
    """An image, or a direction among images: red adds, blue takes away; of colours grey is 0."""
    size = float(image.abs().max())
    pixels = image.movedim(0, -1).numpy()
    if image.shape[0] == 1:
        limits = (-size, size) if signed else (None, None)
        axes.imshow(pixels, cmap="RdBu_r" if signed else "gray", vmin=limits[0], vmax=limits[1])
    else:
        axes.imshow(0.5 + 0.5 * pixels / size if signed else pixels / size)
    axes.set(xticks=[], yticks=[])
