"""The weights of a run's checkpoints: those that were trained, and their average."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from lambent.core.flow import Flow
from lambent.store.checkpoint import read_checkpoint
from lambent.store.run import RunFolder

WeightsName = Literal["model", "best-averaged", "best-raw", "last-averaged", "last-raw"]


def take_weights(flow: Flow, run: RunFolder, weights: WeightsName) -> None:
    """Give a flow the weights of one of its run's checkpoints, in place.

    Args:
        flow: The run's flow.
        run: The run.
        weights: ``model`` leaves the flow as it is; else which checkpoint, and whether its
            averaged weights or those that the optimiser stepped.

    Raises:
        ValueError: If the checkpoint is not there or cannot be read, holds no average that is
            asked for, or the weights of another flow.
    """
    if weights == "model":
        return
    which, _, kind = weights.partition("-")
    path = run.best if which == "best" else run.last
    if not path.is_file():
        raise ValueError(f"weights: expected a run with {path}, found none")
    checkpoint = read_checkpoint(path, "weights")
    tensors = _chosen(checkpoint, kind)
    if not isinstance(tensors, Mapping):
        raise ValueError(
            f"weights: expected {kind} weights in {path}, found none"
            + ("; the run kept no average" if kind == "averaged" else "")
        )
    own = {k.removeprefix("flow."): v for k, v in tensors.items() if k.startswith("flow.")}
    try:
        flow.load_state_dict(own)
    except RuntimeError as error:
        raise ValueError(
            f"weights: expected those of the run's model in {path}: {error}"
        ) from error


def _chosen(checkpoint: Mapping[str, Any], kind: str) -> Any:
    """Lightning keeps the average under the weights' own name, and the raw ones beside it."""
    average_kept = "current_model_state" in checkpoint
    if kind == "averaged":
        return checkpoint.get("state_dict") if average_kept else None
    return checkpoint.get("current_model_state" if average_kept else "state_dict")
