"""A flow in two files: what it is, as JSON, and its weights, as safetensors."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

import lambent.flows  # noqa: F401 - registers the families
from lambent.core.flow import Flow
from lambent.core.registry import build
from lambent.files import replacing
from lambent.store.pretrained import find_model

FORMAT = 1
"""Version of the two files; a reader refuses a newer one."""

_DTYPES = {"float32": torch.float32, "float64": torch.float64}


def save(flow: Flow, folder: str | Path) -> None:
    """Write ``config.json`` and ``model.safetensors``; nothing in them is executable.

    Args:
        flow: A flow built by a registered family.
        folder: Where to; made if missing.

    Raises:
        ValueError: If no registered family built the flow.
    """
    if flow.recipe is None:
        raise ValueError(
            "flow: expected one built by a registered family (lambent.glow, ...), got a flow put "
            "together by hand; its weights can be saved with safetensors"
        )
    family, config = flow.recipe
    facts = {
        "format": FORMAT,
        "family": family,
        "config": dataclasses.asdict(config),  # type: ignore[call-overload]
        "dtype": _dtype_name(flow),
    }
    tensors = {k: v.detach().cpu().contiguous() for k, v in flow.state_dict().items()}
    with replacing(Path(folder) / "model.safetensors") as path:
        save_file(tensors, path)
    with replacing(Path(folder) / "config.json") as path:
        path.write_text(json.dumps(facts, indent=2) + "\n")


def load(folder: str | Path) -> Flow:
    """Read a flow that :func:`save` wrote, or the model of a run folder; it comes in eval mode.

    Args:
        folder: A model folder, a run folder with ``model/`` inside, or the name of a pretrained
            model: ``digits-demo``, unless a folder of that name is there.

    Returns:
        The flow, on the CPU, in the dtype it was saved in.

    Raises:
        ValueError: If the folder holds no model, or one this version does not understand.
    """
    folder = find_model(folder)
    if (folder / "model").is_dir():
        folder = folder / "model"
    facts = _read_facts(folder)
    try:
        with torch.random.fork_rng(devices=[]):  # building draws on the CPU, in vain
            flow = build(facts["family"], facts["config"]).to(_DTYPES[facts["dtype"]])
    except (TypeError, ValueError) as error:
        raise ValueError(f"{folder / 'config.json'}: {error}") from error
    try:
        flow.load_state_dict(load_file(folder / "model.safetensors"))
    except (SafetensorError, RuntimeError, OSError) as error:
        raise ValueError(
            f"{folder / 'model.safetensors'}: expected the weights of this {facts['family']}, "
            f"got: {error}"
        ) from error
    return flow.eval()


def _read_facts(folder: Path) -> dict[str, Any]:
    """``config.json``, once its form is found right."""
    path = folder / "config.json"
    if not path.is_file():
        raise ValueError(f"{folder}: expected a folder with a trained model, found no config.json")
    try:
        facts = json.loads(path.read_text())
    except ValueError as error:
        raise ValueError(f"{path}: expected JSON, got: {error}") from error
    if not isinstance(facts, dict):
        raise ValueError(f"{path}: expected an object, got {type(facts).__name__}")
    if facts.get("format") != FORMAT:
        raise ValueError(
            f"{path}: expected model format {FORMAT}, got {facts.get('format')!r}; "
            "a newer version of lambent may read it"
        )
    for name, kind in (("family", str), ("config", dict)):
        if not isinstance(facts.get(name), kind):
            raise ValueError(f"{path}: expected '{name}' to be a {kind.__name__}")
    if facts.get("dtype") not in _DTYPES:
        raise ValueError(f"{path}: expected dtype float32 or float64, got {facts.get('dtype')!r}")
    return facts


def _dtype_name(flow: Flow) -> str:
    """``float64`` if any weight is, else ``float32``."""
    wide = any(p.dtype == torch.float64 for p in flow.parameters())
    return "float64" if wide else "float32"
