"""Where the figures of a run go."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from uuid import uuid4

from lightning.pytorch.loggers import Logger, TensorBoardLogger, WandbLogger
from lightning.pytorch.utilities import rank_zero_only

from lambent.errors import MissingExtraError
from lambent.files import replacing
from lambent.store import RunFolder
from lambent.train.metrics import MetricsFile


class WandbRun(WandbLogger):
    """A run of Weights & Biases that ends with the training, not with the process."""

    @rank_zero_only
    def finalize(self, status: str) -> None:
        """Send what is left and end."""
        super().finalize(status)
        self.experiment.finish(exit_code=int(status != "success"))


def loggers_for(run: RunFolder, names: Sequence[str], *, first: bool) -> list[Logger]:
    """``metrics.csv`` and the loggers asked for.

    Args:
        run: Where they write; a run of Weights & Biases goes by the folder's name, and goes on
            where it is resumed.
        names: ``tensorboard`` or ``wandb``.
        first: Whether this is the process that writes.

    Returns:
        The loggers.

    Raises:
        MissingExtraError: If one needs a package that is not installed.
        ValueError: If Weights & Biases does not take the run.
    """
    found: list[Logger] = [MetricsFile(run.metrics)]
    if "tensorboard" in names:
        found.append(TensorBoardLogger(str(run.path), name="", version="tensorboard"))
    if "wandb" in names:
        check_loggers(names)
        name = run.path.resolve().name
        key = _key(run.path / "wandb" / "id", write=first)
        board = WandbRun(name=name, save_dir=run.path, project="lambent", id=key, resume="allow")
        if first:
            _open(board)
        found.append(board)
    return found


def _open(board: WandbRun) -> None:
    """Begin the run, so that what Weights & Biases has against it is known before training."""
    try:
        board.experiment  # noqa: B018 - it begins when it is looked at
    except Exception as error:  # no key, no network, no room: each an error of its own
        raise ValueError(
            "loggers: expected Weights & Biases to take the run, or WANDB_MODE=offline to keep it "
            f"here, got: {error}"
        ) from error


def _key(path: Path, *, write: bool) -> str | None:
    """What Weights & Biases knows the run by, chosen when it starts."""
    if write and not path.is_file():
        with replacing(path) as temporary:
            temporary.write_text(uuid4().hex)
    return path.read_text() if path.is_file() else None


def check_loggers(names: Sequence[str]) -> None:
    """Raise if a logger needs a package that is not installed."""
    if "wandb" in names and find_spec("wandb") is None:
        raise MissingExtraError("wandb", "wandb")
