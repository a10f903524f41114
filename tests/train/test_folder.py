"""One run at a time in a folder, and what is left where the disk is full or a process is killed."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from lambent import Flow, Images, TrainConfig, fit, load
from lambent.store import RunFolder

NewFlow = Callable[..., Flow]
Quick = Callable[..., TrainConfig]

HOLD = """
import sys
from lambent.store import RunFolder
with RunFolder(sys.argv[1]).held():
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.mark.parametrize("resume", [False, True])
def test_two_runs_in_one_folder_are_refused(
    *,
    resume: bool,
    new_flow: NewFlow,
    images: Images,
    held_out: Images,
    quick: Quick,
    tmp_path: Path,
) -> None:
    run = tmp_path / "run"
    if resume:
        fit(new_flow(), images, held_out, config=quick(), out=run)
    other = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(run)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert other.stdin is not None
    assert other.stdout is not None
    try:
        assert other.stdout.readline() == "held\n"
        with pytest.raises(ValueError, match=r"^out: expected a folder no run is using, got .*run"):
            fit(new_flow(), images, held_out, config=quick(), out=run, resume=resume)
    finally:
        other.kill()  # the lock goes with the process
        other.wait()
        other.stdin.close()
        other.stdout.close()
    fit(new_flow(), images, held_out, config=quick(max_steps=21), out=run, resume=resume)


def test_a_folder_goes_where_nothing_was_kept(tmp_path: Path) -> None:
    """If it was made for the run; one with a checkpoint stays, and its lock is free."""

    def begin(run: RunFolder, *kept: Path) -> None:
        with run.held():
            run.write_config({})
            for path in kept:
                path.parent.mkdir()
                path.touch()
            raise ValueError("outside")

    def fail(run: RunFolder, *kept: Path) -> None:
        with pytest.raises(ValueError, match="outside"):
            begin(run, *kept)

    new, trained, old = (RunFolder(tmp_path / name) for name in ("a/new", "trained", "old"))
    fail(new)
    assert not new.path.exists()
    assert new.path.parent.exists()
    fail(trained, trained.last)
    assert trained.last.exists()
    assert trained.config.exists()
    old.path.mkdir()
    (old.path / "notes.txt").touch()
    fail(old)
    assert (old.path / "notes.txt").exists()
    old.check_new()
    with trained.held():
        pass


def test_half_written_files_are_swept_out(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    run.checkpoints.mkdir()
    left = [tmp_path / ".metrics.csv.a1.part.csv", run.checkpoints / ".last.ckpt.b2.part.ckpt"]
    kept = [tmp_path / "part.csv", run.checkpoints / "last.ckpt", tmp_path / ".hidden"]
    for path in (*left, *kept):
        path.touch()
    with run.held():
        assert not any(path.exists() for path in left)
        assert all(path.exists() for path in kept)


FULL = """
import resource, sys
import torch
from lambent import GlowConfig, Images, TrainConfig, fit, glow, seeded
images = Images(torch.arange(1024).reshape(64, 1, 4, 4).remainder(256).to(torch.uint8))
with seeded(0):
    flow = glow(GlowConfig(shape=(1, 4, 4), grey_levels=256, levels=1, steps=1, width=8))
steps, resume, room = int(sys.argv[2]), sys.argv[3] == "resume", int(sys.argv[4])
config = TrainConfig(max_steps=steps, validate_every=10, batch_size=16, loggers=())
if room:
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, room))
try:
    fit(flow, images, images, config=config, out=sys.argv[1], resume=resume)
except OSError as error:
    print(error)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="limits on files")
def test_a_full_disk_is_said_and_the_last_checkpoint_kept(tmp_path: Path) -> None:
    """A limit on the size of files stands for the disk: what writes past it fails alike."""

    def run(steps: int, resume: str, room: int = 0) -> str:
        command = [sys.executable, "-W", "ignore", "-c", FULL, str(tmp_path)]
        done = subprocess.run(
            [*command, str(steps), resume, str(room)], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert run(10, "new") == ""
    last = tmp_path / "checkpoints/last.ckpt"
    before = last.read_bytes()
    said = run(30, "resume", len(before) // 2)
    assert said.startswith(f"out: no room to write in '{tmp_path}': File too large; '{last}' is")
    assert last.read_bytes() == before
    assert not list(tmp_path.rglob(".*.part*"))
    assert load(tmp_path).event_shape == (1, 4, 4)
    assert run(30, "resume") == ""
    assert torch.load(last, weights_only=True)["global_step"] == 30


class Fires:
    """Something that runs when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, tuple[Any, ...]]:
        return Path.touch, (self.path,)


@pytest.mark.parametrize("name", ["last", "best"])
@pytest.mark.parametrize("content", ["pickle", "cut", "other", "empty"])
def test_checkpoints_made_to_do_harm_are_refused(
    name: str,
    content: str,
    new_flow: NewFlow,
    images: Images,
    held_out: Images,
    quick: Quick,
    tmp_path: Path,
) -> None:
    fit(new_flow(), images, held_out, config=quick(), out=tmp_path)
    path, fired = tmp_path / f"checkpoints/{name}.ckpt", tmp_path / "fired"
    if content == "pickle":
        torch.save({"state_dict": Fires(fired), "global_step": 3}, path)
    elif content == "other":
        torch.save([1, 2], path)
    else:
        path.write_bytes(path.read_bytes()[: 1000 * (content == "cut")])
    with pytest.raises(
        ValueError, match=rf"^(resume|out): expected .* in .*{name}\.ckpt"
    ) as refused:
        fit(new_flow(), images, held_out, config=quick(), out=tmp_path, resume=True)
    assert "\n" not in str(refused.value)
    assert not fired.exists()
