"""``lambent sample`` for a flow that is conditional on images."""

from __future__ import annotations

import torch
from jsonargparse import Namespace
from torch import Tensor

from lambent.cli.contexts import label_in_range
from lambent.cli.output import report, write_out
from lambent.cli.runs import check_fits
from lambent.core.context import classes_of, context_of
from lambent.core.flow import Flow
from lambent.core.seed import seeded
from lambent.data import DataConfig, ImageSet, grid, load_images
from lambent.evaluate import psnr_of, task_needed
from lambent.store import RunFolder, folder_named

INPUTS = 8
"""As many images are drawn for, the first of the set, if ``--rows`` is not given."""

DRAWS = 4
"""As many draws are made for each, if ``--n`` is not given."""


def sample_task(flow: Flow, options: Namespace, data: DataConfig) -> None:
    """Draw for the inputs of some images; each row shows the input, the draws and the image.

    Args:
        flow: The flow, conditional on images.
        options: Of ``lambent sample``.
        data: Which images.

    Raises:
        ValueError: If the flow has no task, there are no images, or an option is out of range.
    """
    task = task_needed(flow)
    images = _images(flow, options, data)
    rows = rows_named(options.rows, len(images))
    n = DRAWS if options.n is None else options.n
    device = next(flow.parameters()).device
    x, y = images[rows]
    x, y = x.to(device), _labels(flow, y, options.label, len(rows), device)
    with seeded(options.seed):
        context = context_of(flow, x, y)
        drawn = flow.sample(n, context, temperature=options.temperature)
    given = context[-1] if isinstance(context, tuple) else context
    assert given is not None
    misfits = task.misfit(drawn, given.repeat_interleave(n, 0))
    _, *sides = x.shape
    shape = (sides[0], sides[1], sides[2])
    shown = torch.cat(
        (task.picture(given, shape)[:, None], drawn.unflatten(0, (-1, n)), x[:, None]), 1
    )
    write_out(options.out, grid(shown.flatten(0, 1).cpu(), n + 2))
    figures = {
        "inputs": len(rows),
        "images": len(drawn),
        "temperature": options.temperature,
        "label": options.label,
        "pixel_mean": float(drawn.to(torch.float32).mean()),
        "consistency_psnr": psnr_of(misfits),
        "out": str(options.out),
    }
    report(f"samples of {options.run} for {images.name}", figures, as_json=options.json)


def rows_named(text: str | None, count: int) -> Tensor:
    """The rows of a set that ``--rows`` names.

    Args:
        text: Numbers with commas between them; the first few if not given.
        count: How many rows there are.

    Returns:
        The numbers, ``(m,)``.

    Raises:
        ValueError: If it is anything else, or a number is out of range.
    """
    if text is None:
        return torch.arange(min(INPUTS, count))
    words = [word.strip() for word in text.split(",")]
    if not all(word.isascii() and word.isdigit() and int(word) < count for word in words):
        raise ValueError(f"rows: expected numbers 0 to {count - 1} such as 0,5,9, got '{text}'")
    return torch.tensor([int(word) for word in words])


def _images(flow: Flow, options: Namespace, data: DataConfig) -> ImageSet:
    """The images that the inputs are made of: the run's own if none are named."""
    name = options.data
    if name is None:
        run = RunFolder(folder_named(options.run))
        recorded = run.read_config().get("data") or {} if run.config.is_file() else {}
        name = recorded.get("name")
    if name is None:
        raise ValueError(
            "data: the model is conditional on images; expected a set to make its inputs of, "
            "got none"
        )
    images = load_images(name, data)
    check_fits(flow, images)
    return images


def _labels(
    flow: Flow, y: Tensor | None, label: int | None, count: int, device: torch.device
) -> Tensor | None:
    """The labels of the inputs: their own, or the one asked for."""
    classes = classes_of(flow)
    if classes is None and label is not None:
        raise ValueError(f"label: the model is not class-conditional, got {label}")
    if classes is None:
        return None
    if label is not None:
        return torch.full((count,), label_in_range(label, classes), device=device)
    if y is None:
        raise ValueError("data: the model is class-conditional; expected labelled images")
    return y.to(device)
