"""Columns of tables: the layers of each kind, and flows over rows of every kind at once."""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
from torch import Tensor

from lambent.core import Compose, Flow
from lambent.data import ColumnFacts
from lambent.distributions import AutoregressiveCategories
from lambent.flows import MAFConfig, NICEConfig, NSFConfig, maf, nice, noise_flow, nsf
from lambent.nn import MLP, Constant
from lambent.testing import Case
from lambent.testing.case import Draw
from lambent.transforms import Codes, Columns, FixedAffine, Log, Multiples
from lambent.types import Size

COLUMNS = (
    ColumnFacts(name="real", kind="real", centre=3.0, scale=2.0),
    ColumnFacts(name="share", kind="interval", low=-1.0, high=4.0, centre=0.2, scale=1.5),
    ColumnFacts(name="cut", kind="category", dtype="string", categories=("a", "b", "c")),
    ColumnFacts(name="price", kind="positive", centre=0.5, scale=0.8),
    ColumnFacts(name="rooms", kind="integer", low=-2.0, high=3.0, step=0.5, centre=5.0, scale=2.5),
    ColumnFacts(name="flag", kind="category", dtype="bool", categories=(False, True)),
    ColumnFacts(name="visits", kind="count", dtype="int64", high=40.0, centre=1.6, scale=0.9),
)
"""One of each kind, and two categories; not in order."""

EXACT = tuple(column for column in COLUMNS if not column.whole)
SURE = tuple(column for column in COLUMNS if column.kind in ("real", "interval", "positive"))


def rows(columns: tuple[ColumnFacts, ...]) -> Draw:
    """Draws rows of a table."""

    def draw(shape: Size) -> Tensor:
        count = shape[0]
        kinds = {
            "real": lambda c: c.centre + c.scale * torch.randn(count),
            "interval": lambda c: c.low + (c.high - c.low) * (0.1 + 0.8 * torch.rand(count)),
            "positive": lambda _: torch.randn(count).exp(),
            "category": lambda c: torch.randint(0, len(c.categories), (count,)),
            "integer": lambda c: c.low + c.step * torch.randint(0, 11, (count,)),
            "count": lambda _: torch.randint(0, 40, (count,)),
        }
        return torch.stack([kinds[c.kind](c).double() for c in columns], 1)

    return draw


def steps(shape: Size) -> Tensor:
    return -1 + 0.25 * torch.randint(0, 9, shape)


def above(shape: Size) -> Tensor:
    return torch.rand(shape) * 3 + 0.1


def of_columns(columns: tuple[ColumnFacts, ...], build: Any, config: Any, **more: Any) -> Case:
    made = config(shape=(len(columns),), columns=columns, noise_couplings=2, noise_width=4, **more)
    return Case(
        build=partial(build, made),
        event_shape=(len(columns),),
        domain=rows(columns),
        float32_tolerance=1e-2,
        tolerance=1e-7,
    )


SMALL: dict[str, Any] = {"width": 6, "transforms": 1, "layers": 1}

TRANSFORMS: dict[str, Case] = {
    "fixed affine": Case(build=lambda: FixedAffine([1e6, -3.0], [2.0, 0.1]), event_shape=(2,)),
    "log": Case(build=Log, event_shape=(3,), domain=above),
    "log of numbers from 0": Case(build=lambda: Log(1.0), event_shape=(2, 2), domain=above),
    "multiples": Case(
        build=lambda: Multiples([-1.0] * 3, [1.0] * 3, [0.25] * 3), event_shape=(3,), domain=steps
    ),
    "multiples of learned noise": Case(
        build=lambda: Multiples(
            [-1.0] * 3, [1.0] * 3, [0.25] * 3, noise_flow((3,), couplings=2, width=4)
        ),
        event_shape=(3,),
        domain=steps,
        float32_tolerance=1e-3,
    ),
    "codes": Case(build=Codes, event_shape=(2,)),
    "columns": Case(
        build=lambda: Columns(([2, 0], Log()), ([1], FixedAffine([3.0], [2.0]))),
        event_shape=(3,),
        domain=above,
    ),
    "columns of a table": Case(
        build=lambda: nsf(NSFConfig(shape=(3,), columns=SURE, **SMALL)).transform,
        event_shape=(3,),
        domain=rows(SURE),
        tolerance=1e-7,
        float32_tolerance=1e-2,
    ),
}

FLOWS: dict[str, Case] = {
    "categories one after another": Case(
        build=lambda: Flow(
            Compose(codes=Codes()),
            AutoregressiveCategories((3, 2), [Constant(3), MLP(3, 2, width=5)]),
        ),
        event_shape=(2,),
        domain=lambda shape: torch.randint(0, 2, shape).double(),
    ),
    "table of numbers": of_columns(SURE, maf, MAFConfig, **SMALL),
    "table of numbers and exact categories": of_columns(EXACT, nsf, NSFConfig, **SMALL),
    "table of every kind": of_columns(COLUMNS, nsf, NSFConfig, **SMALL),
    "table of lifted categories": of_columns(COLUMNS, maf, MAFConfig, categories="argmax", **SMALL),
    "table of bits and learned noise": of_columns(
        COLUMNS, nice, NICEConfig, categories="binary", dequantisation="variational", width=6
    ),
}
