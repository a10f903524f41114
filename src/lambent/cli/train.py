"""``lambent train``."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

from lambent.cli.options import Options, data_config, read_settings, settings_as_options, take
from lambent.cli.output import report
from lambent.cli.presets import preset_or_family
from lambent.cli.runs import figures_of
from lambent.core.registry import complete, family
from lambent.core.seed import seeded
from lambent.data import load_images
from lambent.evaluate import measure
from lambent.store import RunFolder
from lambent.train import TrainConfig, fit


def run(arguments: Sequence[str]) -> None:
    """Train a flow on images and leave a run folder.

    Args:
        arguments: What follows ``lambent train``.
    """
    name, rest = take("--model", arguments)
    file, rest = take("--config", rest)
    settings = {} if file is None else read_settings(Path(file))
    name = name or (settings.get("model") or {}).get("family") or "glow"
    family_name, preset = preset_or_family(name)
    chosen = family(family_name)

    parser = Options(
        "train",
        "Train a flow on images and leave a run folder. --model NAME (a family or a preset) and "
        "--config FILE (YAML with sections model, train, data) are read first; the options "
        "below override what they say.",
    )
    parser.add_argument("--out", type=Path, required=True, help="the run folder to make")
    parser.add_argument("--resume", action="store_true", help="go on from the last checkpoint")
    parser.add_data(split="train")
    parser.add_running(workers=True)
    parser.add_class_arguments(chosen.config_type, "model")
    parser.add_class_arguments(TrainConfig, "train")
    options = parser.read([*settings_as_options(preset), *settings_as_options(settings), *rest])
    made = parser.instantiate(options)

    run_folder = RunFolder(options.out)
    if not options.resume:
        run_folder.check_new()
    data = data_config(options)
    train = load_images(options.data, data)
    held_out = load_images(options.data, dataclasses.replace(data, split="validation"))
    with seeded(options.seed):
        flow = chosen.build(complete(made.model, train.facts()))
    fitted = fit(
        flow,
        train,
        held_out,
        config=made.train,
        out=options.out,
        seed=options.seed,
        device=options.device,
        workers=options.workers,
        resume=options.resume,
        data_settings={"name": options.data, **dataclasses.asdict(data)},
    )
    figures = {
        **figures_of(measure(flow, held_out)),
        "parameters": sum(p.numel() for p in flow.parameters()),
        "steps": fitted.steps,
        "seconds": fitted.seconds,
        "out": str(options.out),
    }
    report(f"{name} on {train.name}", figures, as_json=options.json)
