"""Families that are conditional on labels, vectors, images, and tuples of them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from lambent.core import Flow
from lambent.flows import (
    IAFConfig,
    MADEConfig,
    MAFConfig,
    NICEConfig,
    NSFConfig,
    RealNVPConfig,
    iaf,
    made,
    maf,
    nice,
    nsf,
    realnvp,
)
from lambent.testing import Case, labels, pixels

SMALL: dict[str, Any] = {"width": 6, "layers": 1}


def conditional_case(build: Callable[[], Flow], shape: tuple[int, ...], **of_case: Any) -> Case:
    return Case(build=build, event_shape=shape, float32_tolerance=1e-3, **of_case)


TWO: dict[str, Any] = {"context_features": 2}
IN_TWO: dict[str, Any] = {"context_shape": (2,)}
BY_LABEL: dict[str, Any] = {"conditioning": "label", "classes": 3}
IN_LABELS: dict[str, Any] = {"context_shape": (), "context_domain": labels(3)}

FLOWS: dict[str, Case] = {
    f"{build.__name__} given a vector": conditional_case(
        partial(build, config(shape=(3,), **SMALL, **TWO)), (3,), **IN_TWO
    )
    for build, config in (
        (nice, NICEConfig),
        (realnvp, RealNVPConfig),
        (made, MADEConfig),
        (maf, MAFConfig),
        (iaf, IAFConfig),
        (nsf, NSFConfig),
    )
}
FLOWS |= {
    "iaf whitened given a vector": conditional_case(
        partial(iaf, IAFConfig(shape=(3,), whiten=True, **SMALL, **TWO)), (3,), **IN_TWO
    ),
    "maf of a mixture given a vector": conditional_case(
        partial(maf, MAFConfig(shape=(2,), base="mixture", **SMALL, **TWO)), (2,), **IN_TWO
    ),
    "nsf of Student-t's": conditional_case(
        partial(nsf, NSFConfig(shape=(2,), transforms=1, base="student", **SMALL)), (2,)
    ),
    "maf given a label": conditional_case(
        partial(maf, MAFConfig(shape=(3,), transforms=2, **SMALL, **BY_LABEL)), (3,), **IN_LABELS
    ),
    "nsf given a vector and an image": conditional_case(
        partial(nsf, NSFConfig(shape=(2,), transforms=2, **SMALL, **TWO, context_shape=(1, 5, 5))),
        (2,),
        context_shape=((2,), (1, 5, 5)),
    ),
    "nice images given a label": conditional_case(
        partial(nice, NICEConfig(shape=(1, 2, 2), grey_levels=256, **SMALL, **BY_LABEL)),
        (1, 2, 2),
        domain=pixels(),
        **IN_LABELS,
    ),
    "realnvp images given a label": conditional_case(
        partial(
            realnvp,
            RealNVPConfig(shape=(1, 4, 4), grey_levels=256, width=4, blocks=1, **BY_LABEL),
        ),
        (1, 4, 4),
        domain=pixels(),
        **IN_LABELS,
    ),
    "realnvp images given a vector": conditional_case(
        partial(
            realnvp, RealNVPConfig(shape=(1, 4, 4), width=4, network="glow", norm="none", **TWO)
        ),
        (1, 4, 4),
        **IN_TWO,
    ),
}
"""Flows of every family that reads a context."""
