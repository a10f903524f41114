from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from lambent import load

from .conftest import TINY, Run


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_ctrl_c_leaves_a_run_to_go_on_with(lambent: Run, tmp_path: Path) -> None:
    out = tmp_path / "run"
    arguments = ["train", "--data", "digits", "--out", out, *TINY, "--train.validation_images=8"]
    endless = ["--train.max_steps=1000000", "--train.validate_every=5"]
    script = "import sys; from lambent.cli import main; sys.exit(main())"
    process = subprocess.Popen(
        [sys.executable, "-c", script, *map(str, [*arguments, *endless])],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    assert process.stderr.readline().startswith("step 5: ")
    process.send_signal(signal.SIGINT)
    printed, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert printed == ""
    assert errors.endswith("\ninterrupted; what was written is usable\n")
    assert "Traceback" not in errors
    assert load(out).event_shape == (1, 8, 8)
    checkpoint = torch.load(out / "checkpoints/last.ckpt", weights_only=True)
    steps = checkpoint["global_step"]
    assert 5 <= steps < 1000000
    assert (out / "curve.png").is_file()
    again = lambent(*arguments, f"--train.max_steps={steps + 2}", "--resume", "--json")
    assert again.figures["steps"] == steps + 2


def test_a_resume_from_a_spoilt_checkpoint_is_one_line(lambent: Run, tmp_path: Path) -> None:
    arguments = ["train", "--data", "digits", "--out", tmp_path / "run", *TINY]
    arguments += ["--train.max_steps=2", "--train.validate_every=2"]
    assert lambent(*arguments).code == 0
    last = tmp_path / "run/checkpoints/last.ckpt"
    torch.save({"state_dict": Path("x"), "global_step": 2}, last)  # would run what the file says
    said = lambent(*arguments, "--resume")
    assert said.code == 2
    assert said.err.startswith("lambent train: error: resume: expected a readable checkpoint in")
    assert said.err.count("\n") == 1
