"""Neural spline flows of couplings, in every form."""

from __future__ import annotations

from functools import partial
from typing import Any

from lambent.flows import NSFConfig, nsf
from lambent.nn import MLP, Constant, ResidualMLP
from lambent.testing import Case
from lambent.transforms import (
    Affine,
    Complement,
    Coupling,
    Halves,
    RationalQuadratic,
    ScaleThenShift,
)


def coupled(**settings: Any) -> NSFConfig:
    """Two layers of splines of three bins over three numbers."""
    defaults: dict[str, Any] = {"shape": (3,), "width": 6, "transforms": 2, "bins": 3}
    return NSFConfig(**{"form": "coupling"} | defaults | settings)


NSFS: dict[str, NSFConfig] = {
    "couplings": coupled(),
    "residual networks": coupled(network="residual", layers=1, dropout=0.5, norm="none"),
    "learned mixing": coupled(mixing="linear", kept_splines=True, norm="batch"),
    "shuffled": coupled(form="autoregressive", mixing="shuffle"),
}

TRANSFORMS: dict[str, Case] = {
    "coupling of a residual network": Case(
        build=lambda: Coupling(ResidualMLP(2, 4, width=8), Affine()), event_shape=(4,)
    ),
    "coupling of a residual network conditional": Case(
        build=lambda: Coupling(ResidualMLP(2, 4, width=8, context_features=3), Affine()),
        event_shape=(4,),
        context_shape=(3,),
    ),
    "coupling that nothing conditions": Case(
        build=lambda: Coupling(Constant(16), RationalQuadratic(bins=3), Complement(Halves())),
        event_shape=(4,),
    ),
}
TRANSFORMS |= {
    f"coupling of {scale} scales": Case(
        build=lambda scale=scale: Coupling(MLP(2, 4, width=8), ScaleThenShift(scale)),  # type: ignore[misc]
        event_shape=(4,),
    )
    for scale in ("sigmoid", "softplus", "clipped")
}
TRANSFORMS |= {
    f"nsf {name}": Case(
        build=lambda config=config: nsf(config).transform,  # type: ignore[misc]
        event_shape=(3,),
        float32_tolerance=1e-3,
    )
    for name, config in NSFS.items()
}

FLOWS: dict[str, Case] = {
    f"nsf {name}": Case(build=partial(nsf, config), event_shape=(3,), float32_tolerance=1e-3)
    for name, config in NSFS.items()
}
FLOWS["nsf couplings given a vector"] = Case(
    build=partial(nsf, coupled(network="residual", width=16, context_features=2)),
    event_shape=(3,),
    context_shape=(2,),
    float32_tolerance=1e-3,
)
