"""``lambent info``."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jsonargparse import Namespace

from lambent.cli.conditioning import run_conditioning
from lambent.cli.costs import of_cost, of_model
from lambent.cli.numerics import run_check
from lambent.cli.options import Options, settings_as_options
from lambent.cli.output import report
from lambent.cli.presets import preset_or_family, presets
from lambent.cli.runs import load_named, own_data_settings
from lambent.core.flow import Flow
from lambent.core.registry import families, family
from lambent.data import DataConfig
from lambent.errors import unknown
from lambent.store import RunFolder, folder_named, pretrained


def run(arguments: Sequence[str]) -> None:
    """Describe a run, a preset or a family.

    Args:
        arguments: What follows ``lambent info``.
    """
    named = next((a for a in arguments if _is_name(a)), None)
    parser, defaults = _parser(named)
    options = parser.read([*defaults, *arguments])
    what: str = options.what
    _check_goes_together(options)
    if folder_named(what).exists():
        if options.check or options.conditioning:
            parser.set_defaults(own_data_settings(what))
            measure = run_check if options.check else run_conditioning
            measure(parser.read(arguments))
            return
        figures = _of_run(what, options)
    elif named != what:
        raise ValueError(
            f"what: expected a run folder, pretrained model, preset or family: {_names(what)}"
        )
    elif options.check or options.conditioning:
        asked = "check" if options.check else "conditioning"
        raise ValueError(
            f"{asked}: expected a run folder, got '{what}', which names no trained model"
        )
    else:
        figures = _of_family(what, options) if what in families() else _of_preset(what, options)
    report(what, figures, as_json=options.json)


def _check_goes_together(options: Namespace) -> None:
    """Raise where options are asked for that have no part in what is asked."""
    if options.check and options.conditioning:
        raise ValueError("conditioning: expected one of --check and --conditioning, got both")
    if options.data is not None and not (options.check or options.conditioning):
        raise ValueError(
            f"data: read with --check or --conditioning alone, got '{options.data}' without"
        )
    if options.out is not None and not options.conditioning:
        raise ValueError(f"out: written with --conditioning alone, got '{options.out}' without")


def _is_name(argument: str) -> bool:
    """Whether an argument names a family or a preset, and no file of that name is there."""
    return argument in {*families(), *presets()} and not Path(argument).exists()


def _parser(named: str | None) -> tuple[Options, list[str]]:
    """The parser, with the options of the model that is named; and the preset's as arguments."""
    parser = Options(
        "info",
        "Describe a run folder, a pretrained model, a preset or a family; with --batch-size, "
        "estimate what a training step takes; with --check or --conditioning, measure the "
        "numerics of a trained model.",
        usage="lambent info WHAT [--batch-size N [--data-size SIZE]] "
        "[--check | --conditioning [--data DATA]] [options]",
    )
    parser.add_argument(
        "what", type=str, help="a run folder, or the name of a pretrained model, preset or family"
    )
    parser.add_argument(
        "--batch-size",
        type=int | None,
        default=None,
        help="estimate the memory and the seconds of a training step on so many images",
    )
    parser.add_argument(
        "--channels",
        type=int | None,
        default=None,
        help="of the images, beside --data-size: the model's own or 3 if not given",
    )
    parser.add_argument(
        "--check", action="store_true", help="measure rounding in a trained model, layer by layer"
    )
    parser.add_argument(
        "--conditioning",
        action="store_true",
        help="measure how unevenly a trained model stretches space",
    )
    parser.add_argument(
        "--n",
        type=int | None,
        default=None,
        help="how many images to measure: up to 64 with --check, 4 with --conditioning if not said",
    )
    parser.add_argument(
        "--data", type=str | None, default=None, help="images to measure; its own draws without"
    )
    parser.add_argument(
        "--out", type=Path | None, default=None, help="the .png that --conditioning draws"
    )
    parser.add_fields(DataConfig, "--data-", "data", split="validation")
    parser.add_running()
    if named is None:
        return parser, []
    name, settings = preset_or_family(named)
    parser.add_fields(family(name).config_type, "--model.", f"model: {name}")
    return parser, settings_as_options({"model": settings.get("model", {})})


def _names(what: str) -> str:
    return unknown(what, [*families(), *presets(), *pretrained()])


def _of_run(what: str, options: Namespace) -> dict[str, Any]:
    flow = load_named("what", what)
    run_folder = RunFolder(folder_named(what))
    settings = run_folder.read_config() if run_folder.config.is_file() else {}
    return {
        **_of_flow(flow),
        **{
            name: settings[name]
            for name in ("train", "data", "seed", "versions")
            if name in settings
        },
        **of_cost(flow, options, settings),
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


def _of_preset(name: str, options: Namespace) -> dict[str, Any]:
    family_name, settings = preset_or_family(name)
    figures = of_model(family_name, options, settings)
    return {"family": family_name, "settings": settings, **figures}


def _of_family(name: str, options: Namespace) -> dict[str, Any]:
    chosen = family(name)
    defaults = {field.name: field.default for field in dataclasses.fields(chosen.config_type)}
    return {
        "about": (chosen.build.__doc__ or "").strip().splitlines()[0],
        "config": chosen.config_type.__name__,
        "defaults": defaults,
        **of_model(name, options, {}),
    }
