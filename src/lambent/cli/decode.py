"""``lambent decode``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from lambent.cli.contexts import check_takes_no_images
from lambent.cli.options import Options
from lambent.cli.output import check_suffix, report, writing
from lambent.cli.progress import progress
from lambent.cli.runs import load_run
from lambent.cli.tables import write_rows
from lambent.core.context import classes_of
from lambent.core.flow import Flow
from lambent.core.units import units_of
from lambent.store import TABLE_SUFFIXES, Column, Rows, read_rows, writing_rows
from lambent.store.rows import SUFFIXES


def run(arguments: Sequence[str]) -> None:
    """Turn a file of latents into images.

    Args:
        arguments: What follows ``lambent decode``.
    """
    parser = Options(
        "decode", "Turn a file of latents, as 'encode' writes it, into images or rows."
    )
    parser.add_run()
    parser.add_argument(
        "--latents", type=Path, required=True, help="a .npz or .parquet with a column 'latent'"
    )
    parser.add_argument(
        "--out",
        type=Path,
        required=True,
        help="the file to write: .parquet in the Hugging Face layout, or .npz; of a table "
        "also .csv",
    )
    parser.add_argument("--batch-size", type=int, default=256, help="images at a time")
    parser.add_running()
    options = parser.read(arguments)
    check_suffix(options.latents, SUFFIXES, "latents")
    if not options.latents.is_file():
        raise ValueError(f"latents: expected a file, got '{options.latents}', which is not one")
    flow = load_run(options.run, options.device)
    pictures = units_of(flow).of_images
    check_suffix(options.out, SUFFIXES if pictures else TABLE_SUFFIXES)
    check_takes_no_images(flow)
    try:
        count, latents = read_rows(options.latents, options.batch_size)
        first = next(latents, None)
        if first is None:
            raise ValueError(f"expected at least one row in '{options.latents}', got none")
        _check(flow, first)
    except ValueError as error:
        raise ValueError(_named(error)) from error
    if not pictures:
        found = [_decode(flow, first), *(_decode(flow, rows) for rows in latents)]
        write_rows(options.out, options.run, flow, torch.cat(found), None)
        figures = {"rows": count, "out": str(options.out)}
        report(f"rows of {options.latents}", figures, as_json=options.json)
        return
    names = ("image", "label") if options.out.suffix == ".parquet" else ("images", "labels")
    columns = {names[0]: Column("uint8", tuple(flow.event_shape))}
    if "label" in first:
        classes = classes_of(flow)
        columns[names[1]] = Column("int64", classes=classes)
    with (
        writing(options.out),
        writing_rows(options.out, columns, count) as add,
        progress("decode", count) as done,
    ):
        rows: Rows | None = first
        while rows is not None:
            images = _decode(flow, rows)
            out: Rows = {names[0]: images.numpy()}
            if "label" in first:
                out[names[1]] = rows["label"].astype("int64")
            add(out)
            done(len(images))
            try:
                rows = next(latents, None)
            except ValueError as error:
                raise ValueError(_named(error)) from error
    figures = {"images": count, "out": str(options.out)}
    report(f"images of {options.latents}", figures, as_json=options.json)


def _named(error: ValueError) -> str:
    message = str(error)
    return message if message.startswith("batch_size") else f"latents: {message}"


def _check(flow: Flow, rows: Rows) -> None:
    """Raise unless rows hold latents of a flow, and labels where it needs them."""
    (dims,) = flow.base.event_shape
    if "latent" not in rows:
        raise ValueError(f"expected a column 'latent', got {', '.join(rows)}")
    latent = rows["latent"]
    real = latent.dtype in ("float16", "float32", "float64")
    if not real or latent.shape[1:] != (dims,):
        raise ValueError(
            f"expected rows of {dims} real numbers in 'latent', "
            f"got {latent.dtype} of shape {latent.shape[1:]}"
        )
    label = rows.get("label")
    if label is None and flow.context_encoder is not None:
        raise ValueError("expected a column 'label', as the model is class-conditional; got none")
    if label is not None and (label.dtype.kind not in "iu" or label.ndim != 1):
        raise ValueError(f"expected whole numbers in 'label', got {label.dtype}")


def _decode(flow: Flow, rows: Rows) -> Tensor:
    weight = next(flow.parameters())
    z = torch.tensor(rows["latent"]).to(weight)
    labels = None
    if flow.context_encoder is not None:
        labels = torch.tensor(rows["label"].astype("int64"), device=weight.device)
    try:
        return flow.decode(z, labels).cpu()
    except ValueError as error:  # of values no model could have made
        raise ValueError(f"latents: {error}") from error
