from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from lambent.data import DataConfig


def test_target() -> None:
    assert DataConfig().target is None
    assert DataConfig(size=8).target == (8, 8)
    assert DataConfig(size=(8, 6)).target == (8, 6)


@pytest.mark.parametrize(
    "setting",
    [
        *({"size": 0}, {"size": (4, 0)}, {"split": ""}, {"seed": -1}),
        *({"validation": 1.0}, {"validation": -0.1}, {"validation": float("nan")}),
    ],
)
def test_ranges(setting: dict[str, Any]) -> None:
    (name,) = setting
    with pytest.raises(ValueError, match=rf"^{name}: expected"):
        DataConfig(**setting)


def test_frozen() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        DataConfig().seed = 1  # type: ignore[misc]
