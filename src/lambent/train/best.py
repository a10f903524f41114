"""The weights that a run ends with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lambent.core.flow import Flow
from lambent.core.units import units_of
from lambent.store import RunFolder, read_checkpoint, save
from lambent.train.curve import draw_curve


def keep_best(flow: Flow, run: RunFolder, *, write: bool) -> float:
    """Give the flow the best weights there are; write the model and the curve.

    Args:
        flow: The flow; it comes to the CPU and into eval mode.
        run: Where its checkpoints are.
        write: Whether to write; one process does.

    Returns:
        Its bits per dimension; NaN where there is no checkpoint yet.
    """
    flow.cpu().eval()
    bits = float("nan")
    if run.best.is_file():
        checkpoint = read_checkpoint(run.best, "out")
        weights = checkpoint["state_dict"]
        flow.load_state_dict(
            {k.removeprefix("flow."): v for k, v in weights.items() if k.startswith("flow.")}
        )
        bits = min(float(c["best_model_score"]) for c in _scores(checkpoint))
    if write and flow.recipe is not None:
        save(flow, run.model)
    if write and run.metrics.is_file():
        draw_curve(run.metrics, run.curve, units_of(flow))
    return bits


def _scores(checkpoint: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The states of the callback that keeps the best checkpoint."""
    states = checkpoint["callbacks"].values()
    return [s for s in states if s.get("best_model_score") is not None]
