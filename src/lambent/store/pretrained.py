"""Models that come with the package, by name."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path


def pretrained() -> dict[str, Path]:
    """The run folder of every model in the package, by name."""
    root = Path(str(files("lambent"))) / "pretrained"
    return {path.name: path for path in sorted(root.iterdir()) if path.is_dir()}


def find_run(folder: str | Path) -> Path:
    """The folder a name stands for.

    Args:
        folder: A path, or the name of a model of the package. A folder of that name in the working
            directory goes first; a path with a separator in it (``./digits-demo``) is never a name.

    Returns:
        The folder of the model of that name, else the path itself.
    """
    path = Path(folder)
    if path.exists() or str(folder) != path.name:
        return path
    return pretrained().get(path.name, path)
