"""Families by name, and errors that name the nearest key."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from lambent.core import Flow, registry
from lambent.distributions import StandardNormal
from lambent.flows import GlowConfig, glow
from lambent.transforms import ActNorm

SMALL = {"shape": (1, 4, 4), "grey_levels": 256, "levels": 1, "steps": 1, "width": 4}


@dataclass(frozen=True, kw_only=True)
class SlopeConfig:
    features: int | None = None
    factor: float = 3.0


@pytest.fixture
def slope(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A family of one's own, registered for one test."""
    monkeypatch.setattr(registry, "_FAMILIES", dict(registry._FAMILIES))

    @registry.register(SlopeConfig)
    def slope(config: SlopeConfig) -> Flow:
        size = config.features or 1
        return Flow(ActNorm(size, log_scale_factor=config.factor), StandardNormal((size,)))

    return slope.__name__


def test_a_family_is_registered_under_its_builders_name(slope: str) -> None:
    assert slope == "slope"
    assert {"glow", "slope"} <= set(registry.families())
    assert registry.family("slope").config_type is SlopeConfig
    flow = registry.build("slope", {"features": 3})
    assert flow.event_shape == (3,)
    assert flow.recipe == ("slope", SlopeConfig(features=3))


def test_registration_of_a_test_does_not_outlive_it() -> None:
    assert "slope" not in registry.families()


def test_the_list_of_families_is_a_copy() -> None:
    registry.families().clear()
    assert "glow" in registry.families()


def test_flows_remember_their_recipe() -> None:
    config = GlowConfig(**SMALL)
    assert glow(config).recipe == ("glow", config)
    assert registry.build("glow", SMALL).recipe == ("glow", config)


@pytest.mark.parametrize(
    ("name", "near"), [("glwo", "glow"), ("Glow", "glow"), ("glow2", "glow"), ("slop", "slope")]
)
def test_unknown_family_names_the_nearest(slope: str, name: str, near: str) -> None:
    with pytest.raises(ValueError, match=f"model: unknown '{name}'; did you mean '{near}'"):
        registry.family(name)
    with pytest.raises(ValueError, match=f"did you mean '{near}'"):
        registry.build(name, {})


def test_a_name_near_nothing_lists_what_there_is(slope: str) -> None:
    with pytest.raises(
        ValueError, match=r"unknown 'transformer'; expected one of: .*glow, .*slope"
    ):
        registry.family("transformer")


@pytest.mark.parametrize(
    ("key", "near"), [("stpes", "steps"), ("widthh", "width"), ("grey_level", "grey_levels")]
)
def test_unknown_field_names_the_nearest(key: str, near: str) -> None:
    with pytest.raises(ValueError, match=f"glow config: unknown '{key}'; did you mean '{near}'"):
        registry.build("glow", SMALL | {key: 3})


def test_complete_fills_only_what_is_open() -> None:
    facts = {"shape": (3, 8, 8), "grey_levels": 17, "steps": 99, "unheard_of": 1}
    config = registry.complete(GlowConfig(grey_levels=32), facts)
    assert config == GlowConfig(shape=(3, 8, 8), grey_levels=32)
