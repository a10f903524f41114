"""Training."""

from lambent.train.config import TrainConfig as TrainConfig
from lambent.train.fit import Fitted as Fitted
from lambent.train.fit import fit as fit
