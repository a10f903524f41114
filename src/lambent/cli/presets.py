"""Named settings that ship with the package."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

import yaml

import lambent.flows  # noqa: F401 - registers the families
from lambent.core.registry import families
from lambent.errors import unknown


def presets() -> dict[str, str]:
    """The YAML text of every preset, by name."""
    folder = files("lambent") / "configs"
    return {
        path.name.removesuffix(".yaml"): path.read_text()
        for path in folder.iterdir()
        if path.name.endswith(".yaml")
    }


def preset_or_family(name: str) -> tuple[str, dict[str, Any]]:
    """The family a name stands for, and the settings that come with it.

    Args:
        name: Of a family or a preset.

    Returns:
        The family's name, and the preset's settings (none for a family's own name).

    Raises:
        ValueError: If it is neither; the message names the nearest.
    """
    if name in families():
        return name, {}
    texts = presets()
    if name not in texts:
        raise ValueError(f"model: {unknown(name, [*families(), *texts])}")
    settings = yaml.safe_load(texts[name])
    return settings["model"]["family"], settings
