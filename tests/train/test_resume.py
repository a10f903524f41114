from __future__ import annotations

import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from torch import Tensor

from lambent import Flow, Images, TrainConfig, fit, load, measure
from lambent.train.metrics import read_metrics

NewFlow = Callable[..., Flow]
Quick = Callable[..., TrainConfig]


class Interrupting(Images):
    """Images that end in Ctrl-C, at the ``n``-th time they are looked up."""

    def __init__(self, images: Images, n: int) -> None:
        super().__init__(images.images, images.labels, grey_levels=4, name=images.name)
        self.left = n

    def __getitem__(self, index: int | slice | Tensor) -> tuple[Tensor, Tensor | None]:
        self.left -= 1
        if self.left < 0:
            raise KeyboardInterrupt
        return super().__getitem__(index)


def states(run: Path, name: str = "last") -> dict[str, Any]:
    checkpoint: dict[str, Any] = torch.load(run / f"checkpoints/{name}.ckpt", weights_only=True)
    return checkpoint


def assert_same_state(run: Path, other: Path) -> None:
    one, two = states(run), states(other)
    assert one["global_step"] == two["global_step"]
    assert one["state_dict"].keys() == two["state_dict"].keys() != set()
    for part in ("state_dict", "current_model_state"):
        for key, value in one[part].items():
            assert torch.equal(value, two[part][key]), (part, key)


def metrics(run: Path) -> dict[int, dict[str, float]]:
    return read_metrics(run / "metrics.csv")


def test_a_resumed_run_equals_one_that_was_never_interrupted(
    new_flow: NewFlow, images: Images, held_out: Images, quick: Quick, tmp_path: Path
) -> None:
    """An epoch has 9 steps here: the run is taken up in the middle of the second."""
    few = images.subset(slice(150))
    common = {"patience": None, "learning_rate": 0.01}
    fit(new_flow(), few, held_out, config=quick(max_steps=30, **common), out=tmp_path / "whole")
    out = tmp_path / "parts"
    assert fit(new_flow(), few, held_out, config=quick(max_steps=14, **common), out=out).steps == 14
    early = (out / "metrics.csv").read_text().splitlines()
    flow = new_flow()
    more = quick(max_steps=30, **common)
    fitted = fit(flow, few, held_out, config=more, out=out, resume=True)
    assert fitted.steps == 30
    assert_same_state(out, tmp_path / "whole")
    assert (out / "metrics.csv").read_text().splitlines()[: len(early)] == early
    rows, whole = (read_metrics(tmp_path / r / "metrics.csv") for r in ("parts", "whole"))
    bits = {
        s: r["validation/bits_per_dim"] for s, r in rows.items() if "validation/bits_per_dim" in r
    }
    assert list(bits) == [10, 14, 20, 30]
    for step in (10, 20, 30):
        assert bits[step] == whole[step]["validation/bits_per_dim"]
    assert fitted.bits_per_dim == pytest.approx(min(bits.values()), abs=1e-6)
    assert measure(flow, held_out).bits_per_dim == pytest.approx(min(bits.values()), abs=1e-5)
    assert yaml.safe_load((out / "config.yaml").read_text())["train"]["max_steps"] == 30


def test_so_does_one_whose_inputs_are_drawn(
    new_flow: NewFlow, images: Images, held_out: Images, quick: Quick, tmp_path: Path
) -> None:
    """A square anywhere is blanked out of each image, by the generator that draws the noise."""

    def flow() -> Flow:
        return new_flow(conditioning="image", task="inpaint:2:random", context_features=3)

    few = images.subset(slice(150))
    fit(flow(), few, held_out, config=quick(learning_rate=0.01), out=tmp_path / "whole")
    for steps in (14, 20):
        config = quick(max_steps=steps, learning_rate=0.01)
        fit(flow(), few, held_out, config=config, out=tmp_path / "parts", resume=steps > 14)
    assert_same_state(tmp_path / "parts", tmp_path / "whole")


@pytest.mark.parametrize(
    ("settings", "workers"),
    [
        ({"accumulate": 4}, 0),
        ({"averaging": "polyak", "average_after": 3}, 0),
        ({"shift": 0.3, "flip": True}, 0),
        ({"shift": 0.3, "flip": True, "accumulate": 2}, 2),
    ],
    ids=["parts", "polyak", "augmented", "workers"],
)
def test_so_does_one_with(
    settings: dict[str, Any],
    workers: int,
    new_flow: NewFlow,
    images: Images,
    held_out: Images,
    quick: Quick,
    tmp_path: Path,
) -> None:
    """In the middle of an epoch of 9 steps; without the processes that load data, and with."""
    few = images.subset(slice(150))
    settings = {"learning_rate": 0.01, "patience": None, **settings}
    fit(new_flow(), few, held_out, config=quick(**settings), out=tmp_path / "whole")
    for steps in (14, 20):
        fit(
            new_flow(),
            few,
            held_out,
            config=quick(max_steps=steps, **settings),
            out=tmp_path / "parts",
            workers=workers,
            resume=steps > 14,
        )
    assert_same_state(tmp_path / "parts", tmp_path / "whole")


def test_a_finished_run_stays_as_it_is(
    new_flow: NewFlow, images: Images, held_out: Images, quick: Quick, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    first = fit(new_flow(), images, held_out, config=quick(), out=out)
    before = states(out)["state_dict"]
    again = fit(new_flow(), images, held_out, config=quick(), out=out, resume=True)
    assert (again.steps, again.bits_per_dim) == (first.steps, first.bits_per_dim)
    assert all(torch.equal(v, before[k]) for k, v in states(out)["state_dict"].items())


def test_the_record_survives_a_kill_and_a_move(
    new_flow: NewFlow, images: Images, held_out: Images, quick: Quick, tmp_path: Path
) -> None:
    """``last.ckpt`` holds the best score of its own validation, so a worse one does not win later.

    The last checkpoint stands for a run killed right after it; the folder has another name since.
    """
    few = images.subset(slice(16))
    config = quick(max_steps=5, validate_every=5, learning_rate=0.003)
    first = fit(new_flow(), few, held_out, config=config, out=tmp_path / "run")
    shutil.move(tmp_path / "run", tmp_path / "moved")
    checkpoint = states(tmp_path / "moved")
    for weights in (checkpoint["state_dict"], checkpoint["current_model_state"]):
        weights["flow.transform.scales.levels.0.step0.actnorm.affine.bias"] += 3.0
    torch.save(checkpoint, tmp_path / "moved/checkpoints/last.ckpt")
    best = (tmp_path / "moved/checkpoints/best.ckpt").read_bytes()
    flow = new_flow()
    second = fit(
        flow,
        few,
        held_out,
        config=quick(max_steps=6, learning_rate=0.003),
        out=tmp_path / "moved",
        resume=True,
    )
    rows = read_metrics(tmp_path / "moved/metrics.csv")
    assert rows[6]["validation/bits_per_dim"] > first.bits_per_dim + 1
    assert second.bits_per_dim == first.bits_per_dim
    assert (tmp_path / "moved/checkpoints/best.ckpt").read_bytes() == best
    assert measure(flow, held_out).bits_per_dim == pytest.approx(first.bits_per_dim, abs=1e-5)


def test_refuses_another_run(
    new_flow: NewFlow, images: Images, held_out: Images, quick: Quick, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    with pytest.raises(ValueError, match=r"^resume: expected a run .* found none"):
        fit(new_flow(), images, held_out, config=quick(), out=out, resume=True)
    size = {"name": "rows", "size": (4, 4)}  # a tuple reads back from YAML as a list
    fit(new_flow(), images, held_out, config=quick(max_steps=1), out=out, data_settings=size)
    before = (out / "config.yaml").read_text()

    train: dict[str, Any] = {}

    def resume(flow: Flow, seed: int = 0, **data: Any) -> None:
        settings = {**size, **data}
        fit(flow, images, held_out, config=quick(max_steps=2, **train), out=out, seed=seed,
            resume=True, data_settings=settings)  # fmt: skip

    with pytest.raises(ValueError, match=r"^resume: .*own settings: model.steps 1 \(now 2\)$"):
        resume(new_flow(steps=2))
    with pytest.raises(ValueError, match=r"^resume: .*own settings: seed 0 \(now 1\)$"):
        resume(new_flow(), seed=1)
    with pytest.raises(
        ValueError, match=r"^resume: .*own settings: data.name rows \(now others\)$"
    ):
        resume(new_flow(), name="others")
    train = {"learning_rate": 0.5}
    with pytest.raises(
        ValueError,
        match=r"own settings: model.steps 1 \(now 2\), train.learning_rate 0.001 \(now 0.5\)$",
    ):
        resume(new_flow(steps=2))
    train = {"validate_every": 7}
    size["in_memory"] = False  # where the images lie does not touch a step
    assert (out / "config.yaml").read_text() == before
    resume(new_flow())
    assert states(out)["global_step"] == 2


@pytest.fixture
def handler() -> Iterator[object]:
    """The handler of Ctrl-C, put back whatever a test leaves."""
    before = signal.getsignal(signal.SIGINT)
    yield before
    signal.signal(signal.SIGINT, before)


def test_ctrl_c_leaves_a_run_to_go_on_with(
    new_flow: NewFlow,
    images: Images,
    held_out: Images,
    quick: Quick,
    tmp_path: Path,
    handler: object,
) -> None:
    out = tmp_path / "run"
    common = {"patience": None, "learning_rate": 0.01}
    flow = new_flow()
    stopping = Interrupting(images, 14)  # one look is the initialisation's
    with pytest.raises(KeyboardInterrupt):
        fit(flow, stopping, held_out, config=quick(**common), out=out)
    assert signal.getsignal(signal.SIGINT) is handler  # the next Ctrl-C works too
    assert states(out)["global_step"] == 13
    assert states(out, "best")["global_step"] == 10
    assert not flow.training
    bits = read_metrics(out / "metrics.csv")[10]["validation/bits_per_dim"]
    assert measure(flow, held_out).bits_per_dim == pytest.approx(bits, abs=1e-5)
    assert measure(load(out), held_out).bits_per_dim == pytest.approx(bits, abs=1e-5)
    assert (out / "curve.png").is_file()
    fit(new_flow(), images, held_out, config=quick(**common), out=out, resume=True)
    fit(new_flow(), images, held_out, config=quick(**common), out=tmp_path / "whole")
    assert_same_state(out, tmp_path / "whole")


def test_an_error_in_a_validation(
    new_flow: NewFlow, images: Images, held_out: Images, quick: Quick, tmp_path: Path
) -> None:
    """It is not made up for: the run goes on from the validation before, and validates again."""
    many = held_out.subset(torch.arange(300) % len(held_out))  # two batches
    common = {"patience": None, "learning_rate": 0.01, "max_steps": 30}
    out = tmp_path / "run"
    fit(new_flow(), images, many, config=quick(**common), out=tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        fit(new_flow(), images, Interrupting(many, 3), config=quick(**common), out=out)
    assert states(out)["global_step"] == 10
    fit(new_flow(), images, many, config=quick(**common), out=out, resume=True)
    assert_same_state(out, tmp_path / "whole")
    assert metrics(out) == metrics(tmp_path / "whole")


def test_a_relative_folder_keeps_its_best(
    new_flow: NewFlow,
    images: Images,
    held_out: Images,
    quick: Quick,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Also through a link: the one better validation after the resume replaces the file."""
    (tmp_path / "here").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "here")
    monkeypatch.chdir(tmp_path)
    for out in ("run", "link/run"):
        common = {"learning_rate": 0.01, "validate_every": 5}
        first = fit(new_flow(), images, held_out, config=quick(max_steps=5, **common), out=out)
        flow = new_flow()
        longer = quick(max_steps=10, **common)
        second = fit(flow, images, held_out, config=longer, out=out, resume=True)
        assert second.bits_per_dim < first.bits_per_dim
        assert states(Path(out), "best")["global_step"] == 10
        found = measure(flow, held_out).bits_per_dim
        assert found == pytest.approx(second.bits_per_dim, abs=1e-5)


def test_other_errors_leave_a_checkpoint_too(
    new_flow: NewFlow, images: Images, held_out: Images, quick: Quick, tmp_path: Path
) -> None:
    class Broken(Interrupting):
        def __getitem__(self, index: int | slice | Tensor) -> tuple[Tensor, Tensor | None]:
            try:
                return super().__getitem__(index)
            except KeyboardInterrupt:
                raise OSError("the disk is gone") from None

    with pytest.raises(OSError, match="the disk is gone"):
        fit(new_flow(), Broken(images, 6), held_out, config=quick(), out=tmp_path / "run")
    assert states(tmp_path / "run")["global_step"] == 5
    assert load(tmp_path / "run").event_shape == (1, 4, 4)
