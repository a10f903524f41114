"""The top of the command line; it imports no torch until a command runs."""

from __future__ import annotations

import functools
import importlib
import os
import signal
import sys
import warnings
from collections.abc import Callable, Sequence
from typing import Any

COMMANDS = {
    "train": "train a flow on images or rows and leave a run folder",
    "evaluate": "measure the likelihood of a data set",
    "sample": "draw images into a grid",
    "reconstruct": "encode and decode images, and show both",
    "interpolate": "walk between two images in latent space",
    "encode": "write the latents of images to a file",
    "decode": "turn a file of latents into images",
    "score": "write the likelihood of each image or row to a file",
    "export": "write a flow as an ONNX or torch.export program",
    "info": "describe a run, a preset or a family",
    "bench": "measure flows on published data sets",
    "import-weights": "turn a Glow that other code trained into a model folder",
}

FAILURES = ("FloatingPointError", "NotInvertibleError", "OutOfMemoryError")
"""Ways a run itself can fail: one line, exit code 1; any other error of the kind is a defect."""

EXAMPLES = """\
examples:
  lambent sample digits-demo --n 64 --out s.png
  lambent train --model glow --data digits --out runs/digits
  lambent evaluate runs/digits --data digits
  lambent sample runs/digits --n 64 --temperature 0.7 --out grid.png

'lambent COMMAND --help' lists the options of a command."""


def usage() -> str:
    """The help text."""
    width = max(map(len, COMMANDS))
    lines = [f"  {name:<{width}}  {text}" for name, text in COMMANDS.items()]
    head = "usage: lambent [--version] COMMAND ...\n\nNormalizing flows with exact likelihoods."
    return "\n".join([head, "", "commands:", *lines, "", EXAMPLES])


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; errors of use go to standard error with exit code 2.

    Args:
        argv: The arguments; those of the process if not given.

    Returns:
        The exit code.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    if not arguments or arguments[0] in ("-h", "--help"):
        sys.stdout.write(usage() + "\n")
        return 0 if arguments else 2
    if arguments[0] == "--version":
        from importlib.metadata import version

        sys.stdout.write(f"lambent {version('lambent')}\n")
        return 0
    command, *rest = arguments
    if command not in COMMANDS:
        return _fail("lambent", f"{_unknown_command(command)}; 'lambent --help' lists the commands")
    debug = "--debug" in rest
    try:
        module = importlib.import_module(f"lambent.cli.{command.replace('-', '_')}")
        with warnings.catch_warnings():
            warnings.showwarning = functools.partial(_warn, warnings.showwarning)
            code: int | None = module.run([a for a in rest if a != "--debug"])
    except KeyboardInterrupt as stop:
        if _rank() == 0:
            sys.stderr.write("\ninterrupted; what was written is usable\n")
        return 128 + int(stop.args[0] if stop.args else signal.SIGINT)
    except (ValueError, OSError, ImportError) as error:
        if debug:
            raise
        return _fail(f"lambent {command}", str(error))
    except (FloatingPointError, RuntimeError) as error:
        if debug or type(error).__name__ not in FAILURES:
            raise
        return _fail(f"lambent {command}", str(error), 1)
    return code or 0


def _unknown_command(command: str) -> str:
    import difflib

    near = difflib.get_close_matches(command, COMMANDS, n=1)
    return f"unknown command '{command}'" + (f"; did you mean '{near[0]}'?" if near else "")


def _rank() -> int:
    """The number of this process among those that torchrun or SLURM started together."""
    return int(os.environ.get("RANK", os.environ.get("SLURM_PROCID", "0")))


def _warn(
    show: Callable[..., None], message: Warning | str, category: type[Warning], *where: Any
) -> None:
    """One line for a warning of ours; the others as they are shown anyway."""
    if not category.__module__.startswith("lambent."):
        show(message, category, *where)
    elif _rank() == 0:
        sys.stderr.write(f"warning: {' '.join(str(message).split())}\n")


def _fail(program: str, message: str, code: int = 2) -> int:
    if _rank():
        program = f"{program} (process {_rank()})"
    sys.stderr.write(f"{program}: error: {' '.join(message.split())}\n")
    return code
