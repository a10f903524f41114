"""Whether the fields of a config hold what their annotations say."""

from __future__ import annotations

import dataclasses
import math
import types
import typing
from collections.abc import Mapping
from typing import Any, Literal, Union


def check_fields(config_type: type[Any], values: Mapping[str, object]) -> None:
    """Raise unless every value for a config is of its field's type.

    A file can hold anything; the builders compare and multiply what they find.

    Args:
        config_type: A dataclass whose fields are numbers, words, tuples of them, or None.
        values: Of some of its fields, by name.

    Raises:
        ValueError: If a field is of another type, or a number that is not finite.
    """
    for name, hint in typing.get_type_hints(config_type).items():
        if name not in values:
            continue
        value = values[name]
        if not _holds(value, hint):
            said = getattr(hint, "__name__", str(hint)).replace("typing.", "")
            raise ValueError(f"{name}: expected {said}, got {short(value)}")


def as_declared(hint: Any, value: Any) -> Any:
    """A value as its annotation has it, where a file has lists and mappings alone.

    Args:
        hint: The annotation of a field.
        value: What a file holds of it.

    Returns:
        A tuple for a list, and a dataclass for a mapping where the annotation has one.

    Raises:
        ValueError: If a mapping is not of the dataclass's fields.
    """
    if isinstance(value, (list, tuple)):
        return tuple(as_declared(hint, item) for item in value)
    kind = _dataclass_in(hint)
    if kind is None or not isinstance(value, Mapping):
        return value
    fields = {field.name for field in dataclasses.fields(kind)}
    if not set(value) <= fields:
        raise ValueError(f"expected the fields {sorted(fields)}, got {short(sorted(value))}")
    hints = typing.get_type_hints(kind)
    values = {name: as_declared(hints[name], item) for name, item in value.items()}
    check_fields(kind, values)
    return kind(**values)


def _dataclass_in(hint: Any) -> type[Any] | None:
    """The dataclass that an annotation names, alone or within tuples and alternatives."""
    if isinstance(hint, type) and dataclasses.is_dataclass(hint):
        return hint
    found = (_dataclass_in(part) for part in typing.get_args(hint))
    return next((kind for kind in found if kind is not None), None)


def _holds(value: Any, hint: Any) -> bool:
    """Whether a value is of a type."""
    origin, parts = typing.get_origin(hint), typing.get_args(hint)
    if origin in (Union, types.UnionType):
        return any(_holds(value, part) for part in parts)
    if origin is Literal:
        return any(value == part and type(value) is type(part) for part in parts)
    if origin is tuple:
        if not isinstance(value, tuple):
            return False
        if len(parts) == 2 and parts[1] is ...:
            return all(_holds(v, parts[0]) for v in value)
        return len(value) == len(parts) and all(map(_holds, value, parts))
    if hint is float:
        return type(value) in (int, float) and _finite(value)
    if hint in (int, bool, str, types.NoneType):
        return type(value) is hint
    if dataclasses.is_dataclass(hint):
        return isinstance(value, hint)  # type: ignore[arg-type]
    return True  # a type of a family's own: its builder checks it


def _finite(value: int | float) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:  # an integer beyond any float
        return False


def short(value: object) -> str:
    """A value, cut where it is long."""
    try:
        text = repr(value)
    except ValueError:  # an integer of thousands of digits
        return "a number of thousands of digits"
    return text if len(text) <= 60 else text[:60] + "..."
