"""Layers of flows."""

from lambent.transforms.actnorm import ActNorm as ActNorm
from lambent.transforms.anneal import Anneal as Anneal
from lambent.transforms.anneal import anneal as anneal
from lambent.transforms.append import Append as Append
from lambent.transforms.argmax import Argmax as Argmax
from lambent.transforms.argmax import BinaryArgmax as BinaryArgmax
from lambent.transforms.autoregressive import Autoregressive as Autoregressive
from lambent.transforms.batchnorm import BatchNorm as BatchNorm
from lambent.transforms.conditional_mix import ConditionalConv1x1 as ConditionalConv1x1
from lambent.transforms.coupling import Coupling as Coupling
from lambent.transforms.dequantise import Dequantise as Dequantise
from lambent.transforms.elementwise import Additive as Additive
from lambent.transforms.elementwise import Affine as Affine
from lambent.transforms.elementwise import Elementwise as Elementwise
from lambent.transforms.elementwise import SigmoidAffine as SigmoidAffine
from lambent.transforms.elementwise import Standardise as Standardise
from lambent.transforms.flatten import Flatten as Flatten
from lambent.transforms.fused_steps import GlowStep as GlowStep
from lambent.transforms.gaps import Gaps as Gaps
from lambent.transforms.glow_level import GlowLevel as GlowLevel
from lambent.transforms.linear import ChannelMix as ChannelMix
from lambent.transforms.linear import InvertibleConv1x1 as InvertibleConv1x1
from lambent.transforms.linear import PLUConv1x1 as PLUConv1x1
from lambent.transforms.logit import Logit as Logit
from lambent.transforms.maxpool import MaxPool as MaxPool
from lambent.transforms.monotone import Bernstein as Bernstein
from lambent.transforms.monotone import LogisticMixture as LogisticMixture
from lambent.transforms.monotone import MonotoneNetwork as MonotoneNetwork
from lambent.transforms.multiscale import MultiScale as MultiScale
from lambent.transforms.partition import Checkerboard as Checkerboard
from lambent.transforms.partition import Chosen as Chosen
from lambent.transforms.partition import Complement as Complement
from lambent.transforms.partition import EveryOther as EveryOther
from lambent.transforms.partition import Halves as Halves
from lambent.transforms.partition import Partition as Partition
from lambent.transforms.partition import Whole as Whole
from lambent.transforms.permute import Permute as Permute
from lambent.transforms.pixel import Quantise as Quantise
from lambent.transforms.pixel import Rescale as Rescale
from lambent.transforms.planar import Planar as Planar
from lambent.transforms.positive import Softplus as Softplus
from lambent.transforms.radial import Radial as Radial
from lambent.transforms.rational_quadratic import RationalQuadratic as RationalQuadratic
from lambent.transforms.scale import Scale as Scale
from lambent.transforms.scale_then_shift import ScaleThenShift as ScaleThenShift
from lambent.transforms.slice import Augment as Augment
from lambent.transforms.slice import Slice as Slice
from lambent.transforms.squeeze import Squeeze as Squeeze
from lambent.transforms.sylvester import Sylvester as Sylvester
from lambent.transforms.symmetry import Abs as Abs
from lambent.transforms.symmetry import Sort as Sort
from lambent.transforms.symmetry import StochasticPermutation as StochasticPermutation
from lambent.transforms.variational_dequantise import (
    VariationalDequantise as VariationalDequantise,
)
from lambent.transforms.whiten import Whiten as Whiten
