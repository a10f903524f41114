"""Several processes that train together on this machine."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest
import torch

from lambent import load
from lambent.train.metrics import read_metrics

from .conftest import TINY, Run

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.name != "posix", reason="gloo and signals"),
]

TRAIN = ("train", "--data", "digits", *TINY, "--train.batch_size", 16, "--train.patience", "null")
TOGETHER = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]

SCRIPT = """
import sys
import torch
from tests.train.test_accumulate import PLAIN, quiet_flow
from tests.train.conftest import draw
from lambent import TrainConfig, fit
config = TrainConfig(max_steps=20, validate_every=10, batch_size=16, warmup_steps=0, **PLAIN)
fit(quiet_flow(), draw(400), draw(40, seed=1), config=config, out=sys.argv[1])
"""


def states(run: Path) -> dict[str, Any]:
    found: dict[str, Any] = torch.load(run / "checkpoints/last.ckpt", weights_only=True)
    return found


def command(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "lambent.cli", *map(str, arguments)]


def test_two_processes_take_the_steps_of_one(tmp_path: Path) -> None:
    """In float64 and without noise: initialisation, gradients, clipping and figures agree."""
    script = tmp_path / "script.py"
    script.write_text(textwrap.dedent(SCRIPT))
    root = Path(__file__).parents[2]
    path = os.pathsep.join([str(root), os.environ.get("PYTHONPATH", "")])
    for name, launcher in (("one", [sys.executable]), ("two", TOGETHER)):
        subprocess.run(
            [*launcher, str(script), str(tmp_path / name)],
            check=True,
            env={**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1"},
            capture_output=True,
        )
    one, two = states(tmp_path / "one")["state_dict"], states(tmp_path / "two")["state_dict"]
    assert one.keys() == two.keys() != set()
    for key, value in one.items():
        torch.testing.assert_close(two[key], value, rtol=1e-9, atol=1e-11, msg=key)
    rows = [read_metrics(tmp_path / name / "metrics.csv") for name in ("one", "two")]
    assert list(rows[0]) == list(rows[1]) == [10, 20]
    for step, row in rows[0].items():
        assert rows[1][step] == pytest.approx(row, rel=1e-5)


def test_resumes_to_the_same_numbers(tmp_path: Path) -> None:
    arguments = [*TRAIN, "--devices", 2, "--train.validate_every", 10]
    for out, steps, more in (("whole", 30, []), ("parts", 14, []), ("parts", 30, ["--resume"])):
        done = subprocess.run(
            command(*arguments, "--out", tmp_path / out, f"--train.max_steps={steps}", *more),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert done.stdout.count("bits per dim") == 1  # the first process speaks
        assert [line[:5] for line in done.stderr.splitlines()] == ["step "] * len(
            done.stderr.splitlines()
        )
    one, two = states(tmp_path / "whole"), states(tmp_path / "parts")
    assert one["global_step"] == two["global_step"] == 30
    for part in ("state_dict", "current_model_state"):
        for key, value in one[part].items():
            assert torch.equal(value, two[part][key]), (part, key)
    noise = one["generators"]["cpu"]
    assert len(noise) == 2
    assert not torch.equal(*noise)
    assert load(tmp_path / "parts").event_shape == (1, 8, 8)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_leaves_a_run_to_go_on_with(number: int, tmp_path: Path, lambent: Run) -> None:
    arguments = [*TRAIN, "--out", tmp_path / "run", "--devices", 2, "--train.validate_every", 5]
    process = subprocess.Popen(
        command(*arguments, "--train.max_steps", 10**6),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stderr is not None
    assert process.stderr.readline().startswith("step 5: ")
    if number == signal.SIGINT:
        os.killpg(process.pid, number)  # as a terminal does
    else:
        process.send_signal(number)
    errors = process.communicate(timeout=60)[1]
    assert process.returncode == 128 + number
    assert errors.endswith("\ninterrupted; what was written is usable\n")
    assert "Traceback" not in errors
    steps = states(tmp_path / "run")["global_step"]
    assert 5 <= steps < 10**6
    alone = [*arguments[:-4], "--train.validate_every", 5, f"--train.max_steps={steps + 2}"]
    refused = lambent(*alone, "--resume")
    assert refused.code == 2
    assert refused.err.endswith("devices: expected the run's own number 2, got 1\n")
    done = subprocess.run(
        command(*arguments, "--resume", f"--train.max_steps={steps + 2}"),
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0
    assert states(tmp_path / "run")["global_step"] == steps + 2


def test_an_error_has_its_code_and_no_traceback(tmp_path: Path) -> None:
    arguments = [*TRAIN, "--out", tmp_path / "run", "--devices", 2, "--train.batch_size", 15]
    done = subprocess.run(command(*arguments), capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "batch_size: expected a multiple of 2 processes times 1 parts" in done.stderr
    assert "Traceback" not in done.stderr
