from __future__ import annotations

import subprocess
import sys

import pytest

from lambent.cli import main
from lambent.cli.main import COMMANDS

from .conftest import Run


def helped(*arguments: str, capsys: pytest.CaptureFixture[str]) -> str:
    with pytest.raises(SystemExit) as end:
        main([*arguments, "--help"])
    assert end.value.code == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    return captured.out


def test_top_imports_no_torch() -> None:
    """Nor anything else that is slow to import; what is left is the standard library's."""
    for argument in ("--help", "--version", "tarin"):
        script = (
            "import sys\n"
            "from lambent.cli import main\n"
            f"code = main(['{argument}'])\n"
            "slow = {'torch', 'numpy', 'lightning', 'jsonargparse', 'rich', 'yaml'}\n"
            "print(code, sorted(slow & set(sys.modules)))\n"
        )
        done = subprocess.run(
            [sys.executable, "-c", script], capture_output=True, text=True, check=True
        )
        code = 2 if argument == "tarin" else 0
        assert done.stdout.splitlines()[-1] == f"{code} []"


def test_top_lists_the_commands(lambent: Run) -> None:
    for flag in ("--help", "-h"):
        said = lambent(flag)
        assert said.code == 0
        assert said.err == ""
        assert all(f"\n  {name} " in said.out for name in COMMANDS)


def test_version(lambent: Run) -> None:
    from importlib.metadata import version

    assert lambent("--version").out == f"lambent {version('lambent')}\n"


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_helps(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    text = helped(command, capsys=capsys)
    assert text.startswith(f"usage: lambent {command} ")
    assert "--json" in text
    assert "CONFIG" not in text
    assert "`" not in text


def test_train_says_how_a_model_is_chosen(capsys: pytest.CaptureFixture[str]) -> None:
    text = helped("train", "--model", "glow_digits", capsys=capsys)
    assert "\n--model NAME:\n  A family (" in text
    assert "\n--config FILE:\n  Settings in YAML" in text
    words = " ".join(text.split())
    assert (
        "A family (bernstein, flowpp, glow, iaf, joint, made, maf, maf_mog, naf, nice, nsf, "
        "planar, radial, realnvp, sylvester) or a preset (bernstein_table, " in words
    )
    for line in (
        "--model.levels LEVELS Number of scales L",
        "--model.coupling {affine,additive} Whether a coupling",
        "--train.max_steps MAX_STEPS Steps of the optimiser, at most. (type: int, default: 10000)",
        "--data-size DATA_SIZE Resize to this height x width",
        "--data-split DATA_SPLIT Which rows: train, validation, all",
    ):
        assert f" {line}" in words


def test_evaluate_starts_from_what_was_held_out(capsys: pytest.CaptureFixture[str]) -> None:
    words = " ".join(helped("evaluate", capsys=capsys).split())
    option = words.split("--data-split DATA_SPLIT ")[1]
    assert option.split("default: ")[1].startswith("validation)")
