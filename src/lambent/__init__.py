"""Normalizing flows with exact likelihoods: train, measure, sample, edit."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lambent.core import Compose as Compose
    from lambent.core import Distribution as Distribution
    from lambent.core import Entry as Entry
    from lambent.core import Flow as Flow
    from lambent.core import Transform as Transform
    from lambent.core import initialize as initialize
    from lambent.core import seeded as seeded
    from lambent.core import trace as trace
    from lambent.data import DataConfig as DataConfig
    from lambent.data import Images as Images
    from lambent.data import load_images as load_images
    from lambent.edit import interpolate as interpolate
    from lambent.edit import reconstruct as reconstruct
    from lambent.errors import DomainError as DomainError
    from lambent.errors import NotInvertibleError as NotInvertibleError
    from lambent.evaluate import check_numerics as check_numerics
    from lambent.evaluate import estimate_cost as estimate_cost
    from lambent.evaluate import measure as measure
    from lambent.evaluate import reverse_kl as reverse_kl
    from lambent.flows import BernsteinConfig as BernsteinConfig
    from lambent.flows import FlowPPConfig as FlowPPConfig
    from lambent.flows import GlowConfig as GlowConfig
    from lambent.flows import IAFConfig as IAFConfig
    from lambent.flows import JointConfig as JointConfig
    from lambent.flows import MADEConfig as MADEConfig
    from lambent.flows import MAFConfig as MAFConfig
    from lambent.flows import MAFMoGConfig as MAFMoGConfig
    from lambent.flows import NAFConfig as NAFConfig
    from lambent.flows import NICEConfig as NICEConfig
    from lambent.flows import NSFConfig as NSFConfig
    from lambent.flows import PlanarConfig as PlanarConfig
    from lambent.flows import RadialConfig as RadialConfig
    from lambent.flows import RealNVPConfig as RealNVPConfig
    from lambent.flows import SylvesterConfig as SylvesterConfig
    from lambent.flows import bernstein as bernstein
    from lambent.flows import conditional_log_prob as conditional_log_prob
    from lambent.flows import flowpp as flowpp
    from lambent.flows import glow as glow
    from lambent.flows import iaf as iaf
    from lambent.flows import joint as joint
    from lambent.flows import joint_sample as joint_sample
    from lambent.flows import made as made
    from lambent.flows import maf as maf
    from lambent.flows import maf_mog as maf_mog
    from lambent.flows import naf as naf
    from lambent.flows import nice as nice
    from lambent.flows import nsf as nsf
    from lambent.flows import planar as planar
    from lambent.flows import radial as radial
    from lambent.flows import realnvp as realnvp
    from lambent.flows import rule_error as rule_error
    from lambent.flows import sylvester as sylvester
    from lambent.hub import export_program as export_program
    from lambent.hub import import_weights as import_weights
    from lambent.nn import plain as plain
    from lambent.store import load as load
    from lambent.store import save as save
    from lambent.train import TrainConfig as TrainConfig
    from lambent.train import fit as fit

_ROOM = {
    "Compose": "core",
    "DataConfig": "data",
    "Distribution": "core",
    "DomainError": "errors",
    "Entry": "core",
    "Flow": "core",
    "GlowConfig": "flows",
    "naf": "flows",
    "maf_mog": "flows",
    "flowpp": "flows",
    "bernstein": "flows",
    "NAFConfig": "flows",
    "PlanarConfig": "flows",
    "RadialConfig": "flows",
    "SylvesterConfig": "flows",
    "planar": "flows",
    "radial": "flows",
    "sylvester": "flows",
    "MAFMoGConfig": "flows",
    "FlowPPConfig": "flows",
    "BernsteinConfig": "flows",
    "Images": "data",
    "IAFConfig": "flows",
    "JointConfig": "flows",
    "MADEConfig": "flows",
    "MAFConfig": "flows",
    "NICEConfig": "flows",
    "NSFConfig": "flows",
    "NotInvertibleError": "errors",
    "RealNVPConfig": "flows",
    "TrainConfig": "train",
    "Transform": "core",
    "check_numerics": "evaluate",
    "conditional_log_prob": "flows",
    "estimate_cost": "evaluate",
    "export_program": "hub",
    "fit": "train",
    "glow": "flows",
    "import_weights": "hub",
    "initialize": "core",
    "interpolate": "edit",
    "joint": "flows",
    "joint_sample": "flows",
    "load": "store",
    "load_images": "data",
    "measure": "evaluate",
    "reverse_kl": "evaluate",
    "iaf": "flows",
    "made": "flows",
    "maf": "flows",
    "nice": "flows",
    "nsf": "flows",
    "plain": "nn",
    "realnvp": "flows",
    "reconstruct": "edit",
    "rule_error": "flows",
    "save": "store",
    "seeded": "core",
    "trace": "core",
}
__all__ = list(_ROOM)


def __getattr__(name: str) -> Any:
    """Import a public name where it is first used (PEP 562), so that importing lambent is cheap."""
    if name not in _ROOM:
        raise AttributeError(f"module 'lambent' has no attribute '{name}'")
    value = getattr(importlib.import_module(f"lambent.{_ROOM[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
