"""The data settings of the Glow paper, by name."""

from __future__ import annotations

from lambent.data.config import DataConfig
from lambent.errors import unknown

RECIPES: dict[str, DataConfig] = {
    "mnist": DataConfig(pad=2, channels=3, validation_split="test"),
    "cifar10": DataConfig(validation_split="test"),
    "imagenet32": DataConfig(validation_split="validation"),
    "imagenet64": DataConfig(validation_split="validation"),
    "lsun64": DataConfig(shorter_side=96, window=64, validation_split="validation"),
    "lsun96": DataConfig(size=96, crop=True, resample="area", validation_split="validation"),
    "lsun128": DataConfig(size=128, crop=True, resample="area", validation_split="validation"),
    "celeba_hq": DataConfig(size=256, resample="halve", validation=0.1),
}
"""What was done to each set and which images were validated on; the data page says of which files.

References:
    D. Kingma and P. Dhariwal, "Glow", 2018, arXiv:1807.03039, and its released code.
"""


def recipe(name: str) -> DataConfig:
    """The settings of a recipe.

    Args:
        name: One of ``RECIPES``.

    Returns:
        The settings.

    Raises:
        ValueError: If there is no such recipe.
    """
    if name not in RECIPES:
        raise ValueError(f"data-recipe: {unknown(name, RECIPES)}")
    return RECIPES[name]
