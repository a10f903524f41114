"""``lambent evaluate``."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from jsonargparse import Namespace

from lambent.cli.options import Options
from lambent.cli.output import report
from lambent.cli.runs import (
    add_measuring,
    check_fits,
    figures_of,
    load_run,
    measured,
    read_with_run,
)
from lambent.cli.tables import load_for
from lambent.core.context import task_of
from lambent.core.flow import Flow
from lambent.data import EventSet, ImageSet, load_images
from lambent.evaluate import measure, measure_consistency, yardsticks
from lambent.flows import is_joint

CONSISTENCY = 256
"""Images that a flow with a task draws for, once each, to see how well that agrees with them."""


def run(arguments: Sequence[str]) -> None:
    """Measure a trained flow: in bits per dimension of images, in nats of rows.

    Args:
        arguments: What follows ``lambent evaluate``.
    """
    parser = Options(
        "evaluate", "Measure a trained flow: in bits per dimension of images, in nats of rows."
    )
    parser.add_run()
    parser.add_data(split="validation")
    parser.add_running()
    parser.add_argument(
        "--marginal",
        action="store_true",
        help="for a class-conditional flow, also sum over the classes",
    )
    add_measuring(parser)
    parser.add_argument(
        "--bootstrap", type=int, default=1000, help="resamples of the images for the interval"
    )
    parser.add_argument(
        "--yardsticks",
        action="store_true",
        help="put simple models of the same training images beside it",
    )
    options, data = read_with_run(parser, arguments)
    flow = load_run(options.run, options.device, options.weights)
    images = load_for(flow, options.data, data)
    check_fits(flow, images)
    if is_joint(flow):
        report(
            f"{options.run} on {images.name}, {data.split}",
            of_joint(flow, images, options),
            as_json=options.json,
        )
        return
    result = measure(
        flow,
        images,
        seed=options.seed,
        marginal=options.marginal,
        importance_samples=options.importance_samples,
        bootstrap=options.bootstrap,
    )
    figures: dict[str, Any] = {
        **figures_of(result),
        "weights": None if options.weights == "model" else options.weights,
    }
    if task_of(flow) is not None:
        agreed = measure_consistency(flow, images.subset(slice(CONSISTENCY)), seed=options.seed)
        figures["consistency_psnr"] = agreed.psnr
        figures["consistency_images"] = agreed.images
    if options.yardsticks:
        if not isinstance(images, ImageSet):
            raise ValueError(f"yardsticks: expected images, got a table, {images.name}")
        train = load_images(options.data, dataclasses.replace(data, split="train"))
        levels = result.grey_levels or 256
        figures["yardsticks"] = yardsticks(train.quantised(levels), images.quantised(levels))
    report(f"{options.run} on {images.name}, {data.split}", figures, as_json=options.json)


def of_joint(flow: Flow, images: EventSet, options: Namespace) -> dict[str, Any]:
    """The figures of a joint flow, which has fewer.

    Args:
        flow: The flow.
        images: What it is measured on.
        options: Those of the command.

    Returns:
        The figures.

    Raises:
        ValueError: If others are asked for.
    """
    asked = {
        "marginal": options.marginal,
        "importance-samples": options.importance_samples != 1,
        "yardsticks": options.yardsticks,
    }
    for name, there in asked.items():
        if there:
            raise ValueError(f"{name}: expected none with a joint flow, which has no bits")
    return measured(flow, images, options.seed)
