"""Flows over the rows of a table: what comes before a flow over vectors."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeVar

from lambent.core.compose import Compose
from lambent.core.flow import Flow
from lambent.core.transform import Transform
from lambent.data.columns import ColumnFacts
from lambent.distributions import AutoregressiveCategories, ConditionalNormal
from lambent.flows.context import ContextConfig, context_size
from lambent.flows.dequantisation import DequantisationConfig, noise_flow
from lambent.flows.straighten import straightening
from lambent.nn import MLP
from lambent.transforms import Argmax, BinaryArgmax, Codes, Columns, Slice


@dataclass(frozen=True, kw_only=True)
class TableConfig(ContextConfig, DequantisationConfig):
    """How a family of vectors reads the rows of a table."""

    columns: tuple[ColumnFacts, ...] | None = None
    """Of a table: what is known of each column; the command line takes the data's own."""
    categories: Literal["exact", "argmax", "binary"] = "exact"
    """Of a table: the probability of the categories given the numbers, one after another, whose
    likelihood is exact; or categories as regions of numbers, one for each (argmax) or one for each
    bit (binary), whose likelihood is a bound."""

    @property
    def keeps_units(self) -> bool:
        """Whether numbers come as they are, within ends that the flow has."""
        return False


Config = TypeVar("Config", bound=TableConfig)


def of_tables(build: Callable[[Config], Flow]) -> Callable[[Config], Flow]:
    """A builder of flows over vectors as one of flows over the rows of a table, too.

    Where the config has columns, they are straightened, noise is added to whole numbers, and all
    is put on one scale; categories are sliced off, or lifted to numbers. What is left is a vector,
    for which the flow is built.

    Args:
        build: The builder.

    Returns:
        The builder of both.
    """

    @functools.wraps(build)
    def either(config: Config) -> Flow:
        if config.columns is None:
            return build(config)
        if config.shape != (len(config.columns),):  # type: ignore[attr-defined]
            raise ValueError(
                f"columns: expected one for each number of an event, "
                f"got {len(config.columns)} and {config.shape}"  # type: ignore[attr-defined]
            )
        if config.keeps_units:
            _check_real(config.columns)
            return build(replace(config, columns=None))
        steps = table_steps(config)
        (size,) = steps.forward_shape((len(config.columns),))
        flow = build(replace(config, columns=None, shape=(size,)))  # type: ignore[call-arg]
        whole = Compose(table=steps, flow=flow.transform)
        return Flow(whole, flow.base, context_encoder=flow.context_encoder)

    return either


def _check_real(columns: Sequence[ColumnFacts]) -> None:
    for column in columns:
        if column.kind != "real":
            raise ValueError(
                f"domain: expected real columns within ends, got '{column.name}' ({column.kind})"
            )


def table_steps(config: TableConfig) -> Compose:
    """From the rows of a table to vectors.

    Args:
        config: With columns.

    Returns:
        The steps by name.

    Raises:
        ValueError: If there is no number among the columns, and categories are to be exact.
    """
    columns = config.columns or ()
    groups: dict[str, list[int]] = {}
    for place, column in enumerate(columns):
        groups.setdefault(column.kind, []).append(place)
    choices = groups.pop("category", [])
    parts: list[tuple[Sequence[int], Transform]] = []
    for places in groups.values():
        chosen = [columns[place] for place in places]
        noise = None
        if chosen[0].whole and config.dequantisation == "variational":
            noise = noise_flow(
                (len(places),), couplings=config.noise_couplings, width=config.noise_width
            )
        parts.append((places, straightening(chosen, noise)))
    if config.categories != "exact":
        lifted = [([place], _lift(config, columns[place])) for place in choices]
        return Compose(columns=Columns(*parts, *lifted))
    if not choices:
        return Compose(columns=Columns(*parts))
    if not parts:
        raise ValueError(
            "categories: expected argmax or binary where every column is a category, got exact"
        )
    kept = sum(len(places) for places, _ in parts)
    law = _choices([len(columns[place].categories) for place in choices], kept, config)
    together = Columns(*parts, (choices, Codes()))
    return Compose(columns=together, categories=Slice(law))


def _lift(config: TableConfig, column: ColumnFacts) -> Transform:
    """Numbers for one column of categories."""
    kinds: dict[str, type[Argmax | BinaryArgmax]] = {"argmax": Argmax, "binary": BinaryArgmax}
    lift, count = kinds[config.categories], len(column.categories)
    numbers = count if lift is Argmax else max(1, (count - 1).bit_length())
    net = MLP(numbers, 2 * numbers, width=config.noise_width, layers=1)
    codes = Codes(whole=True)
    return Compose(codes=codes, lift=lift(count, ConditionalNormal((numbers,), net)))


def _choices(classes: list[int], kept: int, config: TableConfig) -> AutoregressiveCategories:
    """The law of categories, given the numbers of a row and its context."""
    given = kept + (context_size(config) or 0)
    nets = [
        MLP(sum(classes[:j]), count, width=128, layers=2, context_features=given)
        for j, count in enumerate(classes)
    ]
    return AutoregressiveCategories(classes, nets)
