"""Networks; they know no flows."""

from lambent.nn.affine import ChannelAffine as ChannelAffine
from lambent.nn.beside import Beside as Beside
from lambent.nn.checkerboard import Chequered as Chequered
from lambent.nn.condition import Condition as Condition
from lambent.nn.condition import LabelNumber as LabelNumber
from lambent.nn.condition import StandardUnits as StandardUnits
from lambent.nn.constant import Constant as Constant
from lambent.nn.conv import BorderConv2d as BorderConv2d
from lambent.nn.conv import ZeroConv2d as ZeroConv2d
from lambent.nn.conv import ZeroLinear as ZeroLinear
from lambent.nn.coupling_net import CouplingNet as CouplingNet
from lambent.nn.embedding import LabelEncoder as LabelEncoder
from lambent.nn.encoder import ImageEncoder as ImageEncoder
from lambent.nn.encoder import Together as Together
from lambent.nn.encoder import VectorEncoder as VectorEncoder
from lambent.nn.fast import plain as plain
from lambent.nn.fast import takes_fast_path as takes_fast_path
from lambent.nn.masked import MADE as MADE
from lambent.nn.mlp import MLP as MLP
from lambent.nn.mlp import ShiftAndScale as ShiftAndScale
from lambent.nn.pooled import Pooled as Pooled
from lambent.nn.priors import SplitPrior as SplitPrior
from lambent.nn.priors import TopPrior as TopPrior
from lambent.nn.pyramid import Pyramid as Pyramid
from lambent.nn.residual_mlp import ResidualMLP as ResidualMLP
from lambent.nn.residual_net import ResidualNet as ResidualNet
