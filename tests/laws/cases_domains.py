"""Splines of intervals and circles."""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
from torch import Tensor

from lambent.core import Flow
from lambent.distributions import Uniform
from lambent.flows import NSFConfig, nsf
from lambent.nn import MADE, MLP
from lambent.testing import Case
from lambent.transforms import Autoregressive, CircularSpline, Coupling, IntervalSpline
from lambent.types import Size

from .cases_context import IN_TWO, TWO, conditional_case

INTERVAL, CIRCLE = IntervalSpline(bins=3), CircularSpline(bins=3, bound=1.0)
SMALL: dict[str, Any] = {
    "shape": (3,),
    "width": 6,
    "layers": 1,
    "bins": 3,
    "spline_bound": 1.0,
}


def inside(shape: Size) -> Tensor:
    return 1.9 * torch.rand(shape) - 0.95


TRANSFORMS: dict[str, Case] = {
    "autoregressive interval splines": Case(
        build=lambda: Autoregressive(MADE(3, INTERVAL.num_params, width=6), INTERVAL),
        event_shape=(3,),
        domain=inside,
        codomain=inside,
    ),
    "coupling of circular splines": Case(
        build=lambda: Coupling(MLP(2, 2 * CIRCLE.num_params, width=6), CIRCLE),
        event_shape=(4,),
        domain=inside,
        codomain=inside,
    ),
}

FLOWS: dict[str, Case] = {
    "uniform": Case(
        build=lambda: Flow(
            Coupling(MLP(1, 2 * INTERVAL.num_params, width=6), INTERVAL), Uniform((3,))
        ),
        event_shape=(3,),
        domain=inside,
    ),
    "nsf of an interval": conditional_case(
        partial(nsf, NSFConfig(domain="interval", transforms=2, **SMALL)), (3,), domain=inside
    ),
    "nsf of a circle": conditional_case(
        partial(
            nsf,
            NSFConfig(domain="circle", form="coupling", transforms=3, kept_splines=True, **SMALL),
        ),
        (3,),
        domain=inside,
    ),
    "nsf of an interval given a vector": conditional_case(
        partial(nsf, NSFConfig(domain="interval", transforms=2, **SMALL, **TWO)),
        (3,),
        domain=inside,
        **IN_TWO,
    ),
}
