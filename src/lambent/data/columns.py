"""What a model has to know of the columns of a table: of what kind each is, and its units."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import numpy.typing as npt

from lambent.errors import check_choices

Numbers = npt.NDArray[np.float64]

MOST_CATEGORIES = 256
"""A column of more is a name or a text, and not a choice."""


@dataclass(frozen=True, kw_only=True)
class ColumnFacts:
    """One column of a table: its kind, and how it is put on a common scale.

    Numbers are straightened first: ``x`` of a real column, ``ln x`` of a positive one, the logit of
    ``(x - low) / (high - low)`` within an interval, the middle ``k + 1/2`` of the bin of
    ``x = low + k step``, and ``ln(1 + k + 1/2)`` of a count. ``centre`` and ``scale`` are mean and
    standard deviation of that. A category is the number of its value among ``categories``.

    Raises:
        ValueError: If a field is out of range.
    """

    name: str
    """Of the column."""
    kind: Literal["real", "positive", "interval", "integer", "count", "category"]
    """Any number; a number above 0; one between two ends; a whole multiple of ``step`` from
    ``low``; one that is never below ``low`` and has a long tail; or one of a few values."""
    dtype: str = "double"
    """Arrow's name of the type in which values were stored; of a dictionary, that of its values."""
    index: str = ""
    """Arrow's name of the type of the numbers, where values were stored as a dictionary, which is
    pandas' and polars' categorical."""
    ordered: bool = False
    """Whether that dictionary said that its order means something."""
    categories: tuple[str | int | float | bool, ...] = ()
    """Of a category: its values, in their order, which a dictionary keeps."""
    low: float = 0.0
    """The end of an interval, or the least value of whole multiples."""
    high: float = 1.0
    """The other end, or the greatest value; draws of whole multiples stay between the two."""
    step: float = 1.0
    """Of whole multiples: from one value to the next."""
    centre: float = 0.0
    """Mean of the straightened values."""
    scale: float = 1.0
    """Their standard deviation."""

    def __post_init__(self) -> None:
        """Check the ranges."""
        check_choices(self)
        if not (self.scale > 0 and self.step > 0 and self.low < self.high):
            raise ValueError(
                f"columns: expected scale and step above 0 and low below high of '{self.name}', "
                f"given {self.scale}, {self.step}, {self.low}, {self.high}"
            )
        if self.kind == "category" and not 2 <= len(self.categories) <= MOST_CATEGORIES:
            raise ValueError(
                f"columns: expected 2 to {MOST_CATEGORIES} categories of '{self.name}', "
                f"given {len(self.categories)}"
            )

    @property
    def whole(self) -> bool:
        """Whether values are whole multiples of a step."""
        return self.kind in ("integer", "count")


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What the user says of a column: its kind, and the numbers that go with it."""

    kind: str
    """A kind, or ``step`` for whole multiples that may be an integer or a count."""
    numbers: tuple[float, ...] = ()
    """Ends of an interval, or a step."""


_NUMBERS = {"real": 0, "positive": 0, "interval": 2, "integer": 0, "count": 0, "category": 0}


def asked(kinds: Mapping[str, str]) -> dict[str, Asked]:
    """What is said of columns, in words.

    Args:
        kinds: By column: ``real``, ``positive``, ``integer``, ``count`` or ``category``, or
            ``interval:LOW:HIGH``, or ``step:SIZE``.

    Returns:
        What was said of each.

    Raises:
        ValueError: If a word is another, or a number of them wrong.
    """
    found = {}
    for name, words in kinds.items():
        kind, *rest = words.split(":")
        try:
            numbers = tuple(float(number) for number in rest)
        except ValueError:
            numbers = (math.nan,)
        wanted = {**_NUMBERS, "step": 1}.get(kind)
        rising = kind != "interval" or (len(numbers) == 2 and numbers[0] < numbers[1])
        sized = kind != "step" or (len(numbers) == 1 and numbers[0] > 0)
        finite = all(math.isfinite(number) for number in numbers)
        if wanted != len(numbers) or not (rising and sized and finite):
            raise ValueError(
                f"kinds: expected {name} to be {', '.join(_NUMBERS)} (as interval:0:1) or "
                f"step:0.1, given '{words}'"
            )
        found[name] = Asked(kind=kind, numbers=numbers)
    return found


def number_facts(name: str, dtype: str, values: Numbers, said: Asked | None) -> ColumnFacts:
    """The facts of a column of numbers.

    Where nothing is said, whole numbers of an integer type are an integer, or a count where they
    are not negative and have a long tail; all others are real.

    Args:
        name: Of the column.
        dtype: Arrow's name of its type.
        values: What it holds, ``(n,)``, finite and not all the same.
        said: What the user says of it.

    Returns:
        The facts.

    Raises:
        ValueError: If values are not of the kind that is said.
    """
    kind, numbers = (said.kind, said.numbers) if said is not None else ("", ())
    step = numbers[0] if kind == "step" else 1.0
    whole = np.issubdtype(np.dtype(_NUMPY.get(dtype, "float64")), np.integer)
    if kind == "step" or (not kind and whole):
        kind = "count" if _long_tailed(values) else "integer"
    facts = ColumnFacts(name=name, kind=kind or "real", dtype=dtype, step=step)  # type: ignore[arg-type]
    if facts.whole:
        facts = replace(facts, low=float(values.min()), high=float(values.max()))
    elif facts.kind == "interval":
        facts = replace(facts, low=numbers[0], high=numbers[1])
    check_kind(values, facts)
    straight = straightened(values, facts)
    scale = float(straight.std())
    return replace(facts, centre=float(straight.mean()), scale=scale if scale > 0 else 1.0)


def straightened(values: Numbers, facts: ColumnFacts) -> Numbers:
    """Values of a column as :class:`ColumnFacts` says, before centre and scale.

    Args:
        values: What it holds.
        facts: Of the column, which is not of categories.

    Returns:
        The straightened values.
    """
    if facts.kind == "positive":
        return np.log(values)
    if facts.kind == "interval":
        part = (values - facts.low) / (facts.high - facts.low)
        return np.asarray(np.log(part) - np.log1p(-part))
    if facts.whole:
        middle = np.round((values - facts.low) / facts.step) + 0.5
        return np.asarray(np.log1p(middle) if facts.kind == "count" else middle)
    return values


def check_kind(values: Numbers, facts: ColumnFacts) -> None:
    """Raise unless values of a column are of its kind.

    Args:
        values: What it holds.
        facts: Of the column.

    Raises:
        ValueError: If some are not; the message names the first.
    """
    if facts.kind == "positive":
        wrong, wanted = values <= 0, "numbers above 0"
    elif facts.kind == "interval":
        wrong = (values <= facts.low) | (values >= facts.high)
        wanted = f"numbers between {facts.low:g} and {facts.high:g}, both left out"
    elif facts.whole:
        steps = (values - facts.low) / facts.step
        wrong = np.abs(steps - np.round(steps)) > GRID_TOLERANCE
        wanted = f"multiples of {facts.step:g} from {facts.low:g}"
        if facts.kind == "count":
            wrong, wanted = wrong | (values < facts.low), f"{wanted} up"
    else:
        return
    if wrong.any():
        row = int(np.argmax(wrong))
        raise ValueError(
            f"data: expected {wanted} in column '{facts.name}' ({facts.kind}), "
            f"given {int(wrong.sum())} others, the first {values[row]:g} in row {row}"
        )


GRID_TOLERANCE = 1e-3
"""How far, in steps, a value may be off its multiple: decimals have no exact form in binary."""

_NUMPY: dict[str, str] = {
    **{f"{sign}int{bits}": f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)},
    "halffloat": "float16",
    "float": "float32",
    "double": "float64",
}


def _long_tailed(values: Numbers) -> bool:
    """Whether values that are not negative reach far beyond their middle."""
    low = float(values.min())
    return low >= 0 and float(values.max()) - low > 8 * (float(np.median(values)) - low) + 8
