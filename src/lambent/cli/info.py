"""``lambent info``."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lambent.cli.options import Options
from lambent.cli.output import report
from lambent.cli.presets import preset_or_family, presets
from lambent.core.flow import Flow
from lambent.core.registry import families, family, unknown
from lambent.store import RunFolder, load


def run(arguments: Sequence[str]) -> None:
    """Describe a run, a preset or a family.

    Args:
        arguments: What follows ``lambent info``.
    """
    parser = Options("info", "Describe a run folder, a preset or a family.")
    parser.add_argument("what", type=str, help="a run folder, or the name of a preset or family")
    options = parser.read(arguments)
    what: str = options.what
    if Path(what).exists():
        figures = _of_run(Path(what))
    elif what in families():
        figures = _of_family(what)
    elif what in presets():
        figures = _of_preset(what)
    else:
        raise ValueError(f"what: expected a run folder, preset or family: {_names(what)}")
    report(what, figures, as_json=options.json)


def _names(what: str) -> str:
    return unknown(what, [*families(), *presets()])


def _of_run(folder: Path) -> dict[str, Any]:
    flow = load(folder)
    run_folder = RunFolder(folder)
    settings = run_folder.read_config() if run_folder.config.is_file() else {}
    return {
        **_of_flow(flow),
        **{
            name: settings[name]
            for name in ("train", "data", "seed", "versions")
            if name in settings
        },
    }


def _of_flow(flow: Flow) -> dict[str, Any]:
    assert flow.recipe is not None
    name, config = flow.recipe
    return {
        "family": name,
        "parameters": sum(p.numel() for p in flow.parameters()),
        "likelihood": flow.likelihood,
        "model": dataclasses.asdict(config),  # type: ignore[call-overload]
    }


def _of_preset(name: str) -> dict[str, Any]:
    family_name, settings = preset_or_family(name)
    return {"family": family_name, "settings": settings}


def _of_family(name: str) -> dict[str, Any]:
    chosen = family(name)
    defaults = {field.name: field.default for field in dataclasses.fields(chosen.config_type)}
    return {
        "about": (chosen.build.__doc__ or "").strip().splitlines()[0],
        "config": chosen.config_type.__name__,
        "defaults": defaults,
    }
