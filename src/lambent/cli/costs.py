"""What ``lambent info`` says of a model before it is trained: its size, and what a step takes."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import torch
from jsonargparse import Namespace

from lambent.cli.options import config_of
from lambent.core.context import context_of, needs_labels
from lambent.core.device import pick_device
from lambent.core.flow import Flow
from lambent.core.registry import complete, family
from lambent.evaluate import Cost, estimate_cost
from lambent.transforms import Dequantise, Quantise, VariationalDequantise

ASSUMED = {"grey_levels": 256, "classes": 10}
"""What the data would say and a description without data has to assume."""

LEFT_TO_DATA = (
    "the shape is left to the data: with --data-size (and --channels) the parameters are counted"
)


def of_model(name: str, options: Namespace, settings: Mapping[str, Any]) -> dict[str, Any]:
    """The figures of a family's model: its parameters and, if a batch size is given, its cost.

    Args:
        name: The family.
        options: With the fields of its config, ``data_size``, ``channels`` and ``batch_size``.
        settings: The preset's.

    Returns:
        The figures; a note instead where nothing says the shape.

    Raises:
        ValueError: If an option is out of range or missing.
    """
    chosen = family(name)
    config = _with_shape(config_of(options, chosen.config_type, "model."), options)
    if "shape" in vars(config) and config.shape is None:
        if options.batch_size is not None:
            raise ValueError(
                f"data-size: expected with --batch-size, for {options.what} leaves the shape to "
                "the data"
            )
        return {"note": LEFT_TO_DATA}
    with torch.device("meta"):
        flow = chosen.build(complete(config, ASSUMED))
    assumed = {k: v for k, v in ASSUMED.items() if k in vars(config) and vars(config)[k] is None}
    if not needs_labels(flow):
        assumed.pop("classes", None)
    return {
        "shape": list(flow.event_shape),
        "assumed": assumed or None,
        "parameters": sum(p.numel() for p in flow.parameters()),
        "likelihood": flow.likelihood,
        **of_cost(flow, options, settings),
    }


def _with_shape(config: Any, options: Namespace) -> Any:
    """The config with the shape that the options say."""
    size, channels = options.data_size, options.channels
    sides = (size, size) if isinstance(size, int) else size
    if sides is not None and (len(sides) != 2 or min(sides) < 1):
        raise ValueError(f"data-size: expected a positive number of pixels, or two, got {size}")
    if channels is not None and channels < 1:
        raise ValueError(f"channels: expected at least 1, got {channels}")
    own: Any = getattr(config, "shape", None)
    if (sides, channels) == (None, None) or "shape" not in vars(config):
        return config
    if sides is None and own is None:
        raise ValueError(f"data-size: expected with --channels {channels}, got none")
    own_channels = 3 if own is None else own[0]
    shape = (channels or own_channels, *(own[1:] if sides is None else sides))
    return dataclasses.replace(config, shape=shape)


def of_cost(flow: Flow, options: Namespace, settings: Mapping[str, Any]) -> dict[str, Any]:
    """The figures of a training step's estimated cost, if a batch size is given.

    Args:
        flow: The flow.
        options: With ``batch_size`` and ``device``.
        settings: With a section ``train``, where there is one.

    Returns:
        The figures, under ``estimate``.

    Raises:
        ValueError: If the batch size is less than 1.
    """
    batch: int | None = options.batch_size
    if batch is None:
        return {}
    if batch < 1:
        raise ValueError(f"batch-size: expected at least 1, got {batch}")
    train = settings.get("train") or {}
    labels = torch.empty(batch, dtype=torch.int64, device="meta") if needs_labels(flow) else None
    x = torch.empty(batch, *flow.event_shape, dtype=event_dtype(flow), device="meta")
    cost = estimate_cost(
        flow,
        x,
        context_of(flow, x, labels),
        averages=int(_averages(train)),
        optimizer_in_backward=bool(train.get("optimizer_in_backward")),
        device=pick_device(options.device),
    )
    return {"estimate": _in_figures(cost)}


def _averages(train: Mapping[str, Any]) -> bool:
    """Whether training keeps an average of the weights; unsaid, it does."""
    return train.get("averaging") == "polyak" or train.get("ema_decay", 1) is not None


def event_dtype(flow: Flow) -> torch.dtype:
    """Bytes for a flow that quantises or dequantises, floats for any other."""
    integers = (Quantise, Dequantise, VariationalDequantise)
    whole = any(isinstance(m, integers) for m in flow.transform.modules())
    return torch.uint8 if whole else torch.get_default_dtype()


def _in_figures(cost: Cost) -> dict[str, Any]:
    parts = ("parameter", "gradient", "optimizer", "average", "activation", "workspace")
    return {
        "kind": "an estimate: counted without running, at rates measured here just now",
        "batch_size": cost.batch_size,
        "memory_mib": cost.memory_bytes / 2**20,
        "seconds_per_step": cost.seconds,
        "memory_parts_mib": {part: getattr(cost, f"{part}_bytes") / 2**20 for part in parts},
        "gflops_per_step": cost.flops / 1e9,
        "gigabytes_moved_per_step": cost.moved_bytes / 1e9,
        "operations_per_step": cost.operations,
        "measured": {
            "gflops_per_second": cost.rates.flops / 1e9,
            "gigabytes_per_second": cost.rates.bytes / 1e9,
            "microseconds_per_operation": cost.rates.overhead * 1e6,
        },
    }
