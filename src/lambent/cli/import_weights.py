"""``lambent import-weights``."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from lambent.cli.options import Options
from lambent.cli.output import report
from lambent.flows import GlowConfig
from lambent.hub import import_weights
from lambent.hub.files import read_weights
from lambent.hub.layouts import LayoutName, layout_of
from lambent.store import save


def run(arguments: Sequence[str]) -> None:
    """Turn a Glow that other code trained into a model folder.

    Args:
        arguments: What follows ``lambent import-weights``.
    """
    parser = Options("import-weights", "Turn a Glow that other code trained into a model folder.")
    parser.add_argument(
        "source", type=Path, help="its weights: a .safetensors file, or what torch.save wrote"
    )
    parser.add_argument("--out", type=Path, required=True, help="the model folder to write")
    parser.add_argument(
        "--layout", type=LayoutName, help="whose code made it; told by the weights if not given"
    )
    parser.add_argument(
        "--shape", type=str, help="channels,height,width of the images, if the weights do not say"
    )
    parser.add_argument(
        "--grey-levels", type=int, help="grey levels it was trained at; 32 for 5 bits"
    )
    parser.add_argument(
        "--permutation",
        type=Literal["reverse"],
        help="what it does to the channels, if it has no 1x1 convolutions",
    )
    options = parser.read(arguments)
    _check_new(options.out)
    tensors = read_weights(options.source)
    layout = options.layout or layout_of(tensors)
    flow = import_weights(
        tensors,
        layout,
        shape=None if options.shape is None else _shape(options.shape),
        grey_levels=options.grey_levels,
        permutation=options.permutation,
    )
    try:
        save(flow, options.out)
    except OSError as error:
        raise ValueError(
            f"out: expected a folder that can be written, got '{options.out}': {error.strerror}"
        ) from error
    assert flow.recipe is not None
    family, config = flow.recipe
    assert isinstance(config, GlowConfig)
    figures = {
        "layout": layout,
        "family": family,
        "parameters": sum(p.numel() for p in flow.parameters()),
        "shape": config.shape,
        "grey_levels": config.grey_levels,
        "levels": config.levels,
        "steps": config.steps,
        "width": config.width,
        "coupling": config.coupling,
        "permutation": config.permutation,
        "classes": config.classes,
        "out": str(options.out),
    }
    report(f"weights of {options.source}", figures, as_json=options.json)


def _check_new(out: Path) -> None:
    """Raise if a model is here already."""
    if out.exists() and not out.is_dir():
        raise ValueError(f"out: expected a folder, got the file {out}")
    for path in (out / "config.json", out / "config.yaml", out / "model"):
        if path.exists():
            raise ValueError(f"out: {out} holds a model already; choose another folder")


def _shape(text: str) -> tuple[int, int, int]:
    """``3,32,32``, with or without brackets."""
    found = re.fullmatch(r"[\[(]?\s*(\d+)\s*,\s*(\d+)\s*,\s*(\d+)\s*[\])]?", text)
    if found is None:
        raise ValueError(f"shape: expected channels,height,width, such as 3,32,32, got '{text}'")
    channels, height, width = map(int, found.groups())
    return channels, height, width
