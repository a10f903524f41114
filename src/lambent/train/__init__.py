"""Training."""

from __future__ import annotations

import importlib
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from lambent.errors import MissingExtraError as _MissingExtraError

if TYPE_CHECKING:
    from lambent.train.config import TrainConfig as TrainConfig
    from lambent.train.fitting import Fitted as Fitted
    from lambent.train.fitting import fit as fit
    from lambent.train.rows import Curve as Curve
    from lambent.train.rows import RowsConfig as RowsConfig
    from lambent.train.rows import train_on_rows as train_on_rows
    from lambent.train.stream import train_on_draws as train_on_draws

# Lightning takes seconds to import: only where a name needs it.
_WITH_LIGHTNING = {"Fitted": "fitting", "fit": "fitting"}
_FILE = {
    "Curve": "rows",
    "RowsConfig": "rows",
    "TrainConfig": "config",
    "train_on_draws": "stream",
    "train_on_rows": "rows",
} | _WITH_LIGHTNING


def __getattr__(name: str) -> Any:
    """Import a name where it is first used (PEP 562)."""
    if name not in _FILE:
        raise AttributeError(f"module 'lambent.train' has no attribute '{name}'")
    if name in _WITH_LIGHTNING and find_spec("lightning") is None:
        raise _MissingExtraError("lightning", "train")
    value = getattr(importlib.import_module(f"lambent.train.{_FILE[name]}"), name)
    globals()[name] = value
    return value
