"""``lambent train``."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

from lambent.cli.launch import launch
from lambent.cli.options import (
    Options,
    config_of,
    model_named,
    read_settings,
    settings_as_options,
    take,
)
from lambent.cli.output import report
from lambent.cli.presets import preset_or_family, presets
from lambent.cli.runs import check_fits, measured
from lambent.core.device import pick_device
from lambent.core.registry import Config, complete, families, family
from lambent.core.seed import seeded
from lambent.data import RECIPES, DataConfig, EventSet, Table, load_events, load_uncut, recipe
from lambent.store import RunFolder
from lambent.train import Fitted, TrainConfig, fit
from lambent.train.processes import processes


def run(arguments: Sequence[str]) -> int:
    """Train a flow on images or rows of numbers and leave a run folder.

    Args:
        arguments: What follows ``lambent train``.

    Returns:
        The exit code, where several processes train together.
    """
    name, rest = take("--model", arguments)
    file, rest = take("--config", rest)
    task, rest = take("--task", rest)
    objective, rest = take("--objective", rest)
    context, rest = take("--context", rest)
    recipe_name, rest = take("--data-recipe", rest)
    prepared = {} if recipe_name is None else dataclasses.asdict(recipe(recipe_name))
    settings = {} if file is None else read_settings(Path(file))
    name = name or model_named(settings) or ("joint" if objective == "joint" else "glow")
    family_name, preset = preset_or_family(name)
    chosen = family(family_name)
    if context is not None:
        rest = [f"--data-context={context}", *rest]
    first = of_objective(objective, family_name, labels=context is None)

    parser = Options(
        "train",
        "Train a flow on images or on a table and leave a run folder.",
        usage="lambent train --data DATA --out OUT [--model NAME] [--config FILE] [options]",
    )
    parser.add_taken(
        "--model",
        "NAME",
        f"A family ({', '.join(sorted(families()))}) or a preset ({', '.join(sorted(presets()))}), "
        "which comes with settings of its own. It decides which options --model.… there are. "
        "(default: glow)",
    )
    parser.add_taken(
        "--config",
        "FILE",
        "Settings in YAML, with the sections model, train and data; the config.yaml of a run is "
        "one. They override a preset's, and the options below override both.",
    )
    parser.add_taken(
        "--task",
        "TASK",
        "superres:FACTOR, colourise or inpaint[:SIDE][:random]: learn the images given a part of "
        "each; short for --model.task TASK --model.conditioning image.",
    )
    parser.add_taken(
        "--objective",
        "OBJECTIVE",
        "likelihood, or joint: that of data and condition together, with the condition handed on; "
        "short for --model joint, and --model.conditioning label where no --context is given.",
    )
    parser.add_taken(
        "--context",
        "COLUMNS",
        "Which columns of a table are what rows are given, such as a,b; short for --data-context.",
    )
    parser.add_taken(
        "--data-recipe",
        "NAME",
        f"Data settings of the Glow paper: {', '.join(RECIPES)}. Options override them.",
    )
    parser.add_argument("--out", type=Path, required=True, help="the run folder to make")
    parser.add_argument("--resume", action="store_true", help="go on from the last checkpoint")
    parser.add_data(split="train", defaults=prepared)
    parser.add_running(workers=True)
    parser.add_argument(
        "--devices",
        type=int,
        default=1,
        help="processes that train together here, each on a device; under torchrun and SLURM those "
        "that were started",
    )
    parser.add_fields(chosen.config_type, "--model.", f"model: {family_name}")
    parser.add_fields(TrainConfig, "--train.", "training")
    options = parser.read(
        [*first, *settings_as_options(preset), *settings_as_options(settings), *rest]
    )
    model = config_of(options, chosen.config_type, "model.")
    if task is not None:
        model = with_task(model, family_name, task)
    config = config_of(options, TrainConfig, "train.")
    data = config_of(options, DataConfig, "data_")

    together = processes()
    if options.devices < 1:
        raise ValueError(f"devices: expected at least 1, got {options.devices}")
    run_folder = RunFolder(options.out)
    if not options.resume and together.first:
        run_folder.check_new()
    if data.split in ("validation", "all"):
        raise ValueError(
            f"data-split: expected images apart from the validation images, as 'train' is, "
            f"given '{data.split}'"
        )
    if options.devices > 1 and together.size == 1:
        return launch("train", arguments, options.devices)
    train = (load_uncut if config.random_crop else load_events)(options.data, data)
    try:
        held_out = load_events(options.data, dataclasses.replace(data, split="validation"))
    except ValueError as error:
        if data.validation > 0:
            raise
        raise ValueError(
            "data-validation: expected more than 0 for a set without a validation split, or "
            "--data-validation_split, given 0"
        ) from error
    _check_reads(model, train)
    with seeded(options.seed):
        flow = chosen.build(complete(model, {**train.facts(), "shape": held_out.shape}))
    check_fits(flow, held_out)
    fitted = fit(
        flow,
        train,
        held_out,
        config=config,
        out=options.out,
        seed=options.seed,
        device=options.device,
        workers=options.workers,
        resume=options.resume,
        data_settings={"name": options.data, **dataclasses.asdict(data), **_columns(train)},
    )
    if not together.first:
        return 0
    figures = {
        **measured(flow.to(pick_device(options.device)), held_out, options.seed),
        "parameters": sum(p.numel() for p in flow.parameters()),
        "steps": fitted.steps,
        "seconds": fitted.seconds,
        "clipped": _clipped(fitted, as_json=options.json),
        "precision": fitted.precision,
        "out": str(options.out),
    }
    report(f"{name} on {train.name}", figures, as_json=options.json)
    return 0


def of_objective(objective: str | None, family_name: str, *, labels: bool) -> list[str]:
    """The options that an objective stands for; others override them.

    Args:
        objective: Its name, if one is given.
        family_name: The family that is trained.
        labels: Whether the condition is the class.

    Returns:
        The options.

    Raises:
        ValueError: If there is no such objective, or the family is not made for it.
    """
    if objective not in (None, "likelihood", "joint"):
        raise ValueError(f"objective: expected likelihood or joint, got '{objective}'")
    if objective != "joint":
        return []
    if family_name != "joint":
        raise ValueError(f"objective: joint expects the model joint, got {family_name}")
    return ["--model.conditioning=label"] if labels else []


def with_task(model: Config, family_name: str, task: str) -> Config:
    """The settings of a model that is to learn a task.

    Args:
        model: Its other settings.
        family_name: The family they are of.
        task: The task's name.

    Returns:
        The settings, conditional on images unless they are on something already.

    Raises:
        ValueError: If the family has no tasks.
    """
    if not hasattr(model, "task"):
        raise ValueError(f"task: expected a family that takes images, glow, got {family_name}")
    conditioning = getattr(model, "conditioning", "none")
    changed = {"task": task, "conditioning": "image" if conditioning == "none" else conditioning}
    return dataclasses.replace(model, **changed)  # type: ignore[type-var]


def _check_reads(model: object, data: EventSet) -> None:
    """Raise where a family that knows nothing of columns meets others than of real numbers."""
    if not isinstance(data, Table) or hasattr(model, "columns"):
        return
    for column in (*data.columns, *data.given):
        if column.kind != "real":
            raise ValueError(
                f"data: the model expects real columns, given '{column.name}' ({column.kind}); "
                f"leave it out (--data-drop), or say --data-kinds={column.name}=real"
            )


def _columns(data: EventSet) -> dict[str, tuple[str, ...]]:
    """The names of a table's columns, for what is drawn later."""
    return {"column_names": tuple(c.name for c in data.columns)} if isinstance(data, Table) else {}


def _clipped(fitted: Fitted, *, as_json: bool) -> int | str | None:
    """How many steps were clipped, if any: of how many, for people."""
    if fitted.clipped == 0 or as_json:
        return fitted.clipped or None
    return f"{fitted.clipped:,} of {fitted.steps:,} steps"
