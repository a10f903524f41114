"""Families of flows; importing this registers them."""

from lambent.flows.autoregressive import IAFConfig as IAFConfig
from lambent.flows.autoregressive import MADEConfig as MADEConfig
from lambent.flows.autoregressive import MAFConfig as MAFConfig
from lambent.flows.autoregressive import iaf as iaf
from lambent.flows.autoregressive import made as made
from lambent.flows.autoregressive import maf as maf
from lambent.flows.flowpp import FlowPPConfig as FlowPPConfig
from lambent.flows.flowpp import flowpp as flowpp
from lambent.flows.glow import glow as glow
from lambent.flows.glow_config import GlowConfig as GlowConfig
from lambent.flows.maf_mog import MAFMoGConfig as MAFMoGConfig
from lambent.flows.maf_mog import maf_mog as maf_mog
from lambent.flows.monotone import BernsteinConfig as BernsteinConfig
from lambent.flows.monotone import NAFConfig as NAFConfig
from lambent.flows.monotone import bernstein as bernstein
from lambent.flows.monotone import naf as naf
from lambent.flows.nice import NICEConfig as NICEConfig
from lambent.flows.nice import nice as nice
from lambent.flows.nsf import nsf as nsf
from lambent.flows.nsf_config import NSFConfig as NSFConfig
from lambent.flows.realnvp import realnvp as realnvp
from lambent.flows.realnvp_config import RealNVPConfig as RealNVPConfig
