from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from lambent import Flow, Images, TrainConfig, fit
from lambent.train.metrics import read_metrics

NewFlow = Callable[..., Flow]
Quick = Callable[..., TrainConfig]


class Signalling(Images):
    """Images that send this process a signal whenever they are looked up the ``n``-th time."""

    def __init__(self, images: Images, n: int, *numbers: int) -> None:
        super().__init__(images.images, images.labels, grey_levels=4, name=images.name)
        self.left, self.numbers = n, numbers

    def __getitem__(self, index: int | slice | Tensor) -> tuple[Tensor, Tensor | None]:
        self.left -= 1
        if self.left == 0:
            for number in self.numbers:
                os.kill(os.getpid(), number)
        return super().__getitem__(index)


def states(run: Path) -> dict[str, Any]:
    found: dict[str, Any] = torch.load(run / "checkpoints/last.ckpt", weights_only=True)
    return found


@pytest.fixture(autouse=True)
def _handlers() -> Iterator[None]:
    """The handlers are this process's own again once a run is over."""
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    yield
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("accumulate", [1, 2])
def test_a_signal_ends_the_run_between_two_steps(
    number: int,
    accumulate: int,
    new_flow: NewFlow,
    images: Images,
    held_out: Images,
    quick: Quick,
    tmp_path: Path,
) -> None:
    """It comes in the middle of the 13th step, or of one of its parts."""
    config = quick(patience=None, learning_rate=0.01, accumulate=accumulate)
    stopping = Signalling(images, 1 + 12 * accumulate + 1, number)  # one look initialises
    with pytest.raises(KeyboardInterrupt) as stopped:
        fit(new_flow(), stopping, held_out, config=config, out=tmp_path / "run")
    assert stopped.value.args == (number,)
    assert states(tmp_path / "run")["global_step"] in (12, 13)
    fit(new_flow(), images, held_out, config=config, out=tmp_path / "run", resume=True)
    fit(new_flow(), images, held_out, config=config, out=tmp_path / "whole")
    one, two = states(tmp_path / "run"), states(tmp_path / "whole")
    assert one["global_step"] == two["global_step"] == 20
    for part in ("state_dict", "current_model_state"):
        for key, value in one[part].items():
            assert torch.equal(value, two[part][key]), (part, key)


def test_a_second_ctrl_c_does_not_wait(
    new_flow: NewFlow, images: Images, held_out: Images, quick: Quick, tmp_path: Path
) -> None:
    """The step it tears is not written: the run goes on from its last validation."""
    stopping = Signalling(images, 14, signal.SIGINT, signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        fit(new_flow(), stopping, held_out, config=quick(), out=tmp_path)
    assert states(tmp_path)["global_step"] == 10


@pytest.mark.parametrize("step", range(9, 14))
@pytest.mark.parametrize("accumulate", [1, 2])
def test_validations_and_figures_fall_where_they_would_have(
    accumulate: int,
    step: int,
    new_flow: NewFlow,
    images: Images,
    held_out: Images,
    quick: Quick,
    tmp_path: Path,
) -> None:
    config = quick(patience=None, validate_every=4, accumulate=accumulate)
    stopping = Signalling(images, 1 + step * accumulate, signal.SIGTERM)
    with pytest.raises(KeyboardInterrupt):
        fit(new_flow(), stopping, held_out, config=config, out=tmp_path / "run")
    fit(new_flow(), images, held_out, config=config, out=tmp_path / "run", resume=True)
    fit(new_flow(), images, held_out, config=config, out=tmp_path / "whole")
    found, whole = (read_metrics(tmp_path / name / "metrics.csv") for name in ("run", "whole"))
    assert found == whole
    assert [s for s, row in found.items() if "validation/bits_per_dim" in row] == [4, 8, 12, 16, 20]


@pytest.mark.parametrize("last", [False, True])
def test_a_validation_is_finished(
    *,
    last: bool,
    new_flow: NewFlow,
    images: Images,
    held_out: Images,
    quick: Quick,
    tmp_path: Path,
) -> None:
    """Also the one that follows the last step: what is left is to say that a signal came."""
    many = Signalling(held_out.subset(torch.arange(600) % 40), 1 + 3 * last, signal.SIGTERM)
    with pytest.raises(KeyboardInterrupt) as stopped:
        fit(new_flow(), images, many, config=quick(patience=None), out=tmp_path)
    assert stopped.value.args == (signal.SIGTERM,)
    assert many.left == -2  # all three batches were looked at
    assert states(tmp_path)["global_step"] == (20 if last else 10)
    rows = read_metrics(tmp_path / "metrics.csv")
    done = [step for step, row in rows.items() if "validation/bits_per_dim" in row]
    assert done == ([10, 20] if last else [10])


def test_a_run_that_was_ended_before_its_first_checkpoint_begins_again(
    new_flow: NewFlow, images: Images, held_out: Images, quick: Quick, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    fit(new_flow(), images, held_out, config=quick(), out=run)
    for path in (run / "checkpoints").iterdir():
        path.unlink()
    fit(new_flow(), images, held_out, config=quick(), out=run, resume=True)
    fit(new_flow(), images, held_out, config=quick(), out=tmp_path / "whole")
    for key, value in states(run)["state_dict"].items():
        assert torch.equal(value, states(tmp_path / "whole")["state_dict"][key])
