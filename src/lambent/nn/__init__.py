"""Networks; they know no flows."""

from lambent.nn.affine import ChannelAffine as ChannelAffine
from lambent.nn.conv import BorderConv2d as BorderConv2d
from lambent.nn.conv import ZeroConv2d as ZeroConv2d
from lambent.nn.conv import ZeroLinear as ZeroLinear
from lambent.nn.embedding import LabelEncoder as LabelEncoder
from lambent.nn.glow import CouplingNet as CouplingNet
from lambent.nn.glow import SplitPrior as SplitPrior
from lambent.nn.glow import TopPrior as TopPrior
