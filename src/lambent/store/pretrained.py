"""Models that come with the package, by name."""

from __future__ import annotations

from pathlib import Path

_HERE = Path(__file__).parent.parent / "pretrained"


def pretrained() -> dict[str, Path]:
    """The folders of the models that come with the package, by name."""
    return {path.name: path for path in sorted(_HERE.iterdir()) if path.is_dir()}


def folder_named(model: str | Path) -> Path:
    """The folder that a model's name stands for, whether or not it is there.

    A folder of that name comes before a pretrained model, and only a bare name is one:
    ``./digits-demo`` and a :class:`~pathlib.Path` always mean the folder.

    Args:
        model: A folder, or the name of a pretrained model.

    Returns:
        The folder.
    """
    path = Path(model)
    return path if isinstance(model, Path) or path.is_dir() else pretrained().get(model, path)


def find_model(model: str | Path) -> Path:
    """The folder of a model.

    Args:
        model: A folder, or the name of a pretrained model.

    Returns:
        The folder, see :func:`folder_named`.

    Raises:
        ValueError: If there is no such folder; the message lists the pretrained models.
    """
    folder = folder_named(model)
    if not folder.is_dir():
        raise ValueError(
            f"{model}: expected a folder with a trained model, or the name of a pretrained one "
            f"({', '.join(pretrained())}), which it is not"
        )
    return folder
