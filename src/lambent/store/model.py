"""A flow in two files: what it is, as JSON, and its weights, as safetensors."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file

import lambent.flows  # noqa: F401 - registers the families
from lambent.core.fields import short
from lambent.core.flow import Flow
from lambent.core.registry import build
from lambent.files import replacing
from lambent.store.outline import MisfitError, check_config, check_state, check_values
from lambent.store.pretrained import find_model

FORMAT = 1
"""Version of the two files; a reader refuses a newer one."""
LARGEST_CONFIG = 2**20
"""Bytes of a ``config.json``, at most."""
LARGEST_HEADER = 2**24
"""Bytes of the header of the weights, at most: about 100,000 tensors."""

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
    dtype = _DTYPES[facts["dtype"]]
    tensors = {
        k: v.detach().cpu().to(dtype if v.is_floating_point() else v.dtype).contiguous()
        for k, v in flow.state_dict().items()
    }
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
    family, config, dtype = facts["family"], facts["config"], _DTYPES[facts["dtype"]]
    weights = folder / "model.safetensors"
    try:
        check_config(family, config, dtype, _header(weights))
        tensors = load_file(weights)
        check_values(tensors)
        with torch.random.fork_rng(devices=[]):  # building draws on the CPU, in vain
            flow = build(family, config).to(dtype)
        flow.load_state_dict(tensors)
        check_state(flow)
    except (MisfitError, SafetensorError, RuntimeError, OSError) as error:
        reason = " ".join(str(error).split())
        raise ValueError(
            f"{weights}: expected the weights of this {family[:40]}, got: {reason}"
        ) from error
    except ValueError as error:
        raise ValueError(f"{folder / 'config.json'}: {error}") from error
    return flow.eval()


def _header(path: Path) -> dict[str, tuple[tuple[int, ...], str]]:
    """Shape and type of each tensor of a file, which is not read beyond its header."""
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
    if length > LARGEST_HEADER:
        raise MisfitError(f"a header of {length} bytes; at most {LARGEST_HEADER} are read")
    with safe_open(path, "pt") as file:
        slices = {name: file.get_slice(name) for name in file.keys()}  # noqa: SIM118 - no mapping
        return {name: (tuple(s.get_shape()), s.get_dtype()) for name, s in slices.items()}


def _read_facts(folder: Path) -> dict[str, Any]:
    """``config.json``, once its form is found right."""
    path = folder / "config.json"
    if not path.is_file():
        raise ValueError(f"{folder}: expected a folder with a trained model, found no config.json")
    with path.open("rb") as file:
        text = file.read(LARGEST_CONFIG + 1)
    if len(text) > LARGEST_CONFIG:
        raise ValueError(f"{path}: expected at most {LARGEST_CONFIG} bytes, got more")
    try:
        facts = json.loads(text)
    except RecursionError as error:
        raise ValueError(f"{path}: expected JSON of a few levels, got it nested deeply") from error
    except ValueError as error:
        raise ValueError(f"{path}: expected JSON, got: {error}") from error
    if not isinstance(facts, dict):
        raise ValueError(f"{path}: expected an object, got {type(facts).__name__}")
    version = facts.get("format")
    if type(version) is not int or version != FORMAT:
        raise ValueError(
            f"{path}: expected model format {FORMAT}, got {short(version)}; "
            "a newer version of lambent may read it"
        )
    for name, kind in (("family", str), ("config", dict)):
        if not isinstance(facts.get(name), kind):
            raise ValueError(f"{path}: expected '{name}' to be a {kind.__name__}")
    dtype = facts.get("dtype")
    if not isinstance(dtype, str) or dtype not in _DTYPES:
        raise ValueError(f"{path}: expected dtype float32 or float64, got {short(dtype)}")
    return facts


def _dtype_name(flow: Flow) -> str:
    """``float64`` if any weight is, else ``float32``."""
    wide = any(p.dtype == torch.float64 for p in flow.parameters())
    return "float64" if wide else "float32"
