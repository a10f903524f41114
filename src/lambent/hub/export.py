"""Flows as programs for other runtimes: torch.export and ONNX files."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from lambent.core.flow import Flow
from lambent.core.seed import seeded
from lambent.errors import MissingExtraError
from lambent.files import replacing
from lambent.hub.programs import PROGRAMS, Program, Task
from lambent.nn import plain

SUFFIXES = (".onnx", ".pt2")


@dataclass(frozen=True)
class Exported:
    """What :func:`export_program` wrote."""

    inputs: dict[str, str]
    """Type and shape of each input, in order; ``b`` is any number of events."""
    output: dict[str, str]
    """Type and shape of the output."""
    events: int
    """How many drawn events the file was tried on."""
    largest_difference: float
    """Between what the file and the flow computed of them, in units of the output."""


def export_program(flow: Flow, path: str | Path, task: Task, *, seed: int = 0) -> Exported:
    """Write one thing a flow does as a program whose every input is given, and try the file.

    ``log_prob`` takes images and the dequantisation noise, ``encode`` images, ``sample`` latents;
    each takes labels too if the flow is conditional on them. Inverses and log-determinants of the
    1x1 convolutions are constants in it, and the number of events is free.

    Args:
        flow: A flow over 8-bit images, such as a Glow, on the CPU; put in eval mode.
        path: ``.onnx``, or ``.pt2`` for ``torch.export.load``; replaced whole.
        task: ``log_prob``, ``encode`` or ``sample``.
        seed: Of the events that the file is tried on.

    Returns:
        What it takes and gives, and how far it is from the flow.

    Raises:
        ValueError: If the suffix or task is unknown, the flow holds a layer that cannot be
            exported, or is not of float32 where the file is ONNX.
        MissingExtraError: If ONNX is asked for and its packages are not there.
    """
    path = Path(path)
    if path.suffix not in SUFFIXES:
        raise ValueError(f"out: expected a name that ends in .onnx or .pt2, got '{path}'")
    if task not in PROGRAMS:
        raise ValueError(f"task: expected one of {', '.join(PROGRAMS)}, got '{task}'")
    program = PROGRAMS[task](flow.eval()).eval()
    _check_weights(flow, path)
    with seeded(seed), torch.no_grad(), _quiet():
        inputs = program.examples(4)
        expected = program(**inputs)
        exported = _exported(program, inputs)
        with replacing(path) as temporary:
            if path.suffix == ".onnx":
                _write_onnx(exported, temporary, program, inputs)
            else:
                torch.export.save(exported, temporary)
            found = run_program(temporary, inputs)
    return Exported(
        inputs={name: _kind(value) for name, value in inputs.items()},
        output={program.output: _kind(expected)},
        events=len(expected),
        largest_difference=float((found.double() - expected.double()).abs().max()),
    )


def run_program(path: str | Path, inputs: dict[str, Tensor]) -> Tensor:
    """Run a file that :func:`export_program` wrote; ONNX in onnxruntime.

    Args:
        path: The file.
        inputs: By name.

    Returns:
        The output.

    Raises:
        MissingExtraError: If the file is ONNX and onnxruntime is not installed.
    """
    if Path(path).suffix != ".onnx":
        program = torch.export.load(path).module()
        found: Tensor = program(**inputs)
        return found
    runtime = _onnx("onnxruntime")
    session = runtime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    values = {name: value.numpy() for name, value in inputs.items()}
    return torch.from_numpy(session.run(None, values)[0])


def _exported(program: Program, inputs: dict[str, Tensor]) -> torch.export.ExportedProgram:
    """The program's graph, for any number of events."""
    batch = torch.export.Dim("b", min=1)
    free = {name: {0: batch} for name in inputs}
    with plain():
        exported = torch.export.export(program, (), inputs, dynamic_shapes=free)
    for node in exported.graph.nodes:
        node.meta.pop("stack_trace", None)  # paths of this machine
    return exported


def _write_onnx(
    exported: torch.export.ExportedProgram,
    path: Path,
    program: Program,
    inputs: dict[str, Tensor],
) -> None:
    """Translate the graph; the weights lie in the same file."""
    for package in ("onnx", "onnxscript"):
        _onnx(package)
    translated = torch.onnx.export(
        exported,
        input_names=list(inputs),
        output_names=[program.output],
        verbose=False,
    )
    assert translated is not None
    for node in translated.model.graph:
        node.metadata_props.clear()  # where in the source each came from
    translated.save(path, external_data=False)


def _onnx(package: str) -> Any:
    """A package of the extra ``export``."""
    import importlib

    try:
        return importlib.import_module(package)
    except ImportError as error:
        raise MissingExtraError(package, "export") from error


def _check_weights(flow: Flow, path: Path) -> None:
    for name, weight in flow.named_parameters():
        if weight.device.type != "cpu":
            raise ValueError(f"flow: expected weights on the CPU, got '{name}' on {weight.device}")
        if path.suffix == ".onnx" and weight.dtype != torch.float32:
            raise ValueError(f"flow: expected float32 for ONNX, got '{name}' in {weight.dtype}")


def _kind(value: Tensor) -> str:
    sizes = ", ".join(["b", *map(str, value.shape[1:])])
    return f"{str(value.dtype).removeprefix('torch.')} ({sizes})"


@contextmanager
def _quiet() -> Iterator[None]:
    """Without the exporter's remarks on packages and on its own old calls."""
    log = logging.getLogger("torch.onnx")
    level = log.level
    log.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)
            warnings.simplefilter("ignore", DeprecationWarning)
            yield
    finally:
        log.setLevel(level)
