"""Training."""

from importlib.util import find_spec

from lambent.errors import MissingExtraError

if find_spec("lightning") is None:  # before the modules below import it
    raise MissingExtraError("lightning", "train")

from lambent.train.config import TrainConfig as TrainConfig
from lambent.train.fit import Fitted as Fitted
from lambent.train.fit import fit as fit
from lambent.train.stream import train_on_draws as train_on_draws
