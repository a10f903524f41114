"""Flows of monotone functions and of mixtures: NAF, Bernstein, Flow++ and MAF MoG."""

from __future__ import annotations

from functools import partial
from typing import Any

from lambent.flows import (
    BernsteinConfig,
    FlowPPConfig,
    MAFMoGConfig,
    NAFConfig,
    bernstein,
    flowpp,
    maf_mog,
    naf,
)
from lambent.nn import MADE, MLP
from lambent.testing import Case, pixels
from lambent.transforms import (
    Autoregressive,
    Bernstein,
    Coupling,
    LogisticMixture,
    MonotoneNetwork,
)

from .cases_context import BY_LABEL, IN_LABELS, IN_TWO, TWO, conditional_case

SMALL: dict[str, Any] = {"shape": (3,), "width": 6, "layers": 1}
MIXTURE = LogisticMixture(components=2)
NETWORK = MonotoneNetwork(units=2, layers=2)
POLYNOMIAL = Bernstein(degree=4, bound=2.0)

TRANSFORMS: dict[str, Case] = {
    "coupling of logistic mixtures": Case(
        build=lambda: Coupling(MLP(2, 2 * MIXTURE.num_params, width=8), MIXTURE),
        event_shape=(4,),
    ),
    "autoregressive sigmoidal networks": Case(
        build=lambda: Autoregressive(MADE(3, NETWORK.num_params, width=7), NETWORK),
        event_shape=(3,),
    ),
    "autoregressive polynomials": Case(
        build=lambda: Autoregressive(MADE(3, POLYNOMIAL.num_params, width=7), POLYNOMIAL),
        event_shape=(3,),
    ),
}

FLOWS: dict[str, Case] = {
    "naf": conditional_case(partial(naf, NAFConfig(units=2, depth=2, transforms=2, **SMALL)), (3,)),
    "naf given a vector": conditional_case(
        partial(naf, NAFConfig(units=2, transforms=1, **SMALL, **TWO)), (3,), **IN_TWO
    ),
    "bernstein": conditional_case(
        partial(bernstein, BernsteinConfig(degree=4, transforms=2, **SMALL)), (3,)
    ),
    "bernstein given a vector": conditional_case(
        partial(bernstein, BernsteinConfig(degree=4, transforms=1, **SMALL, **TWO)),
        (3,),
        **IN_TWO,
    ),
    "maf_mog": conditional_case(
        partial(maf_mog, MAFMoGConfig(components=2, transforms=2, **SMALL)), (3,)
    ),
    "maf_mog given a vector": conditional_case(
        partial(maf_mog, MAFMoGConfig(components=2, whiten=True, **SMALL, **TWO)),
        (3,),
        **IN_TWO,
    ),
    "flowpp": conditional_case(
        partial(flowpp, FlowPPConfig(components=2, couplings=3, **SMALL)), (3,)
    ),
    "flowpp given a vector": conditional_case(
        partial(flowpp, FlowPPConfig(components=2, couplings=2, **SMALL, **TWO)), (3,), **IN_TWO
    ),
    "flowpp images given a label": conditional_case(
        partial(
            flowpp,
            FlowPPConfig(
                shape=(1, 2, 4),
                grey_levels=256,
                width=4,
                blocks=1,
                components=2,
                first=1,
                channelwise=1,
                last=1,
                **BY_LABEL,
            ),
        ),
        (1, 2, 4),
        domain=pixels(),
        **IN_LABELS,
    ),
}
