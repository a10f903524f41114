from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from lambent import Flow
from lambent.distributions import StandardNormal
from lambent.store import RunFolder, take_weights
from lambent.transforms import ActNorm


def flow() -> Flow:
    return Flow(ActNorm(2), StandardNormal((2,)))


def state(value: float) -> dict[str, Any]:
    """Weights of a training module: the flow's and an objective's."""
    own = {f"flow.{k}": torch.full_like(v, value) for k, v in flow().state_dict().items()}
    return {**own, "objective.weight": torch.zeros(3)}


def value_of(run: RunFolder, weights: Any) -> float:
    taken = flow()
    take_weights(taken, run, weights)
    return float(taken.state_dict()["transform.affine.bias"][0])


def checkpoint(path: Path, **parts: Any) -> None:
    path.parent.mkdir(exist_ok=True)
    torch.save({"global_step": 3, **parts}, path)


def test_of_a_run_that_kept_an_average(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    checkpoint(run.best, state_dict=state(1.0), current_model_state=state(2.0))
    checkpoint(run.last, state_dict=state(3.0), current_model_state=state(4.0))
    names = ("model", "best-averaged", "best-raw", "last-averaged", "last-raw")
    assert [value_of(run, name) for name in names] == [0.0, 1.0, 2.0, 3.0, 4.0]


def test_of_a_run_without_an_average(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    checkpoint(run.best, state_dict=state(1.0))
    assert value_of(run, "best-raw") == 1.0
    with pytest.raises(ValueError, match=r"expected averaged weights in .*the run kept no average"):
        value_of(run, "best-averaged")
    with pytest.raises(ValueError, match=r"^weights: expected a run with .*last.ckpt, found none"):
        value_of(run, "last-raw")


def test_of_files_that_are_something_else(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    run.checkpoints.mkdir()
    for content in (b"", b"text", b"\x80\x04"):
        run.best.write_bytes(content)
        with pytest.raises(ValueError, match=r"^weights: expected a readable checkpoint in"):
            value_of(run, "best-raw")
    torch.save([1], run.best)
    with pytest.raises(ValueError, match=r"^weights: expected a checkpoint of a run in"):
        value_of(run, "best-raw")
    checkpoint(run.best, state_dict={"flow.other": torch.zeros(2)})
    with pytest.raises(ValueError, match=r"^weights: expected those of the run's model in"):
        value_of(run, "best-raw")
    torch.save({"state_dict": Path("x")}, run.best)  # would run what the file says
    with pytest.raises(ValueError, match=r"^weights: expected a readable checkpoint in"):
        value_of(run, "best-raw")
