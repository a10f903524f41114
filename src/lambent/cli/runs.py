"""Runs as the commands meet them."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from jsonargparse import Namespace

from lambent.cli.options import Options, config_of
from lambent.core.device import pick_device
from lambent.core.flow import Flow
from lambent.core.units import units_of
from lambent.data import DataConfig, EventSet
from lambent.evaluate import Evaluation, measure, measure_joint
from lambent.flows import is_joint
from lambent.store import RunFolder, WeightsName, folder_named, load, take_weights


def load_run(run: str, device: str, weights: WeightsName = "model") -> Flow:
    """The flow of a run folder, a model folder or a pretrained model, on a device."""
    flow = load_named("run", run)
    take_weights(flow, RunFolder(folder_named(run)), weights)
    return flow.to(pick_device(device))


def load_named(argument: str, model: str) -> Flow:
    """The flow that an argument of a command names; an error says which argument."""
    try:
        return load(model)
    except ValueError as error:
        raise ValueError(f"{argument}: {error}") from error


def add_measuring(parser: Options) -> None:
    """``--weights`` and ``--importance-samples``: of what likelihoods, and which bound."""
    parser.add_argument(
        "--weights",
        type=WeightsName,
        default="model",
        help="the model's, or a checkpoint's: of the best or the last, averaged or raw",
    )
    parser.add_argument(
        "--importance-samples",
        type=int,
        default=1,
        help="draws of the noise for each image; the bound tightens with them",
    )


def read_with_run(parser: Options, arguments: Sequence[str]) -> tuple[Namespace, DataConfig]:
    """Parse arguments that name a run; the run's own data settings are the defaults.

    Size, crop, held-out share and seed are what the run was trained with unless an option says
    otherwise, so that ``validation`` is what the run held out.

    Args:
        parser: With a positional ``run`` and the data options.
        arguments: The arguments of the command.

    Returns:
        The options, and which images to load.
    """
    parser.set_defaults(own_data_settings(parser.read(arguments).run))
    options = parser.read(arguments)
    return options, config_of(options, DataConfig, "data_")


def own_data_settings(run_named: str) -> dict[str, Any]:
    """A run's data settings as defaults of the data options; nothing if no run is there."""
    run = RunFolder(folder_named(run_named))
    recorded = run.read_config().get("data") or {} if run.config.is_file() else {}
    return {
        f"data_{field.name}": _tuple(recorded[field.name])
        for field in dataclasses.fields(DataConfig)
        if field.name in recorded and field.name != "split"
    }


def check_fits(flow: Flow, images: EventSet) -> None:
    """Raise unless images have the shape of a flow's events.

    Args:
        flow: A flow over images.
        images: The images.

    Raises:
        ValueError: If they do not.
    """
    if tuple(images.shape) != tuple(flow.event_shape):
        alike = len(images.shape) == 3 and images.shape[0] == flow.event_shape[0]
        hint = "; --data-size resizes" if alike else ""
        kind = units_of(flow).events
        raise ValueError(
            f"data: the model expects {kind} of {_words(flow.event_shape)}, "
            f"{images.name} has {_words(images.shape)}{hint}"
        )


def _words(shape: tuple[int, ...]) -> str:
    if len(shape) != 3:
        return f"{' x '.join(map(str, shape))} numbers"
    channels, height, width = shape
    return f"{channels} channel{'s' * (channels != 1)}, {height} x {width}"


def _tuple(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value


def figures_of(result: Evaluation) -> dict[str, Any]:
    """An evaluation as the commands print it, in its units; absent figures are left out."""
    units = result.units
    interval, marginal = result.interval, result.marginal_bits_per_dim
    figures = {
        units.figure: units.factor * result.bits_per_dim,
        "standard_error": abs(units.factor) * result.standard_error,
        "interval": interval and tuple(sorted(units.factor * end for end in interval)),
        "log_likelihood": result.log_likelihood,
        "likelihood": result.likelihood,
        "importance_samples": result.importance_samples if result.importance_samples > 1 else None,
        "reading": in_words(result),
        "grey_levels": result.grey_levels,
        "given": result.given,
        units.events: result.images,
        f"marginal_{units.figure}": None if marginal is None else units.factor * marginal,
        "label_accuracy": result.label_accuracy,
        "parts": {part: units.factor * bits for part, bits in result.parts.items()},
        "levels": {f"level{i}": units.factor * bits for i, bits in enumerate(result.levels)},
    }
    return {name: value for name, value in figures.items() if value not in (None, {})}


def measured(flow: Flow, images: EventSet, seed: int) -> dict[str, Any]:
    """The figures of a flow on a data set: its bits, or those of a joint flow."""
    if not is_joint(flow):
        return figures_of(measure(flow, images, seed=seed))
    found = dataclasses.asdict(measure_joint(flow, images, seed=seed))
    found[units_of(flow).events] = found.pop("images")
    return {name: value for name, value in found.items() if value is not None}


def in_words(result: Evaluation) -> str:
    """The figure with its kind, its error and what it is of."""
    grey = result.grey_levels
    of = "" if grey is None else f", of the image at {grey} grey levels"
    given = "" if result.given is None else f", given the {result.given}"
    draws = result.importance_samples
    by = "" if draws == 1 else f", importance-weighted over {draws} draws of the noise"
    units = result.units
    value, error = units.factor * result.bits_per_dim, abs(units.factor) * result.standard_error
    figure = f"{units.sign(result.likelihood)} {value:.4f} ± {error:.4f} {units.name}"
    return figure + of + given + by
