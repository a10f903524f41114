"""The families by name: a config dataclass and the function that builds a flow from it."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, TypeVar, get_type_hints

from lambent.core.fields import as_declared, check_fields
from lambent.core.flow import Flow
from lambent.errors import unknown

Config = TypeVar("Config")


class Family(NamedTuple):
    """A registered family of flows."""

    name: str
    config_type: type[Any]
    build: Callable[[Any], Flow]


_FAMILIES: dict[str, Family] = {}


def register(
    config_type: type[Config],
) -> Callable[[Callable[[Config], Flow]], Callable[[Config], Flow]]:
    """Register a builder under its own name; the flows it builds remember name and config.

    Args:
        config_type: The frozen dataclass the builder takes.

    Returns:
        A decorator for the builder.
    """

    def decorate(build: Callable[[Config], Flow]) -> Callable[[Config], Flow]:
        @functools.wraps(build)
        def build_and_record(config: Config) -> Flow:
            flow = build(config)
            flow.recipe = (build.__name__, config)
            return flow

        _FAMILIES[build.__name__] = Family(build.__name__, config_type, build_and_record)
        return build_and_record

    return decorate


def families() -> dict[str, Family]:
    """Every registered family, by name."""
    return dict(_FAMILIES)


def family(name: str) -> Family:
    """The family of a name.

    Args:
        name: The builder's.

    Returns:
        The family.

    Raises:
        ValueError: If there is none; the message names the nearest.
    """
    if name not in _FAMILIES:
        raise ValueError(f"model: {unknown(name, _FAMILIES)}")
    return _FAMILIES[name]


def build(name: str, settings: Mapping[str, Any]) -> Flow:
    """Build a flow from a family name and its config's fields; a list stands for a tuple.

    Args:
        name: The family.
        settings: Values of fields; the others have the config's defaults.

    Returns:
        The flow, which remembers both.

    Raises:
        ValueError: If the family or a field is unknown, or a field is not of its type.
    """
    chosen = family(name)
    fields = {field.name for field in dataclasses.fields(chosen.config_type)}
    for key in settings:
        if key not in fields:
            raise ValueError(f"{name} config: {unknown(key, fields)}")
    hints = get_type_hints(chosen.config_type)
    try:
        values = {name: as_declared(hints[name], value) for name, value in settings.items()}
    except TypeError as error:  # a field of a field is missing
        raise ValueError(f"{name} config: {error}") from error
    check_fields(chosen.config_type, values)
    return chosen.build(chosen.config_type(**values))


def complete(config: Config, facts: Mapping[str, object]) -> Config:
    """Fill the fields a config leaves open (``None``) from facts about the data."""
    names = {field.name for field in dataclasses.fields(config)}  # type: ignore[arg-type]
    known = {k: v for k, v in facts.items() if k in names and getattr(config, k) is None}
    return dataclasses.replace(config, **known)  # type: ignore[type-var]
