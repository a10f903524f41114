"""What a run was asked to do, and whether another is the same run going on."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any

from lambent.core.flow import Flow
from lambent.store import RunFolder, read_checkpoint
from lambent.train.config import TrainConfig

MAY_DIFFER = ("max_steps", "max_minutes", "validate_every", "optimizer_in_backward", "loggers")
"""Settings of training that a resumed run need not share: they do not touch a step."""

DATA_MAY_DIFFER = ("in_memory", "check")
"""The same of the data: they do not touch an image."""


def settings_of(
    flow: Flow, config: TrainConfig, seed: int, data_settings: Mapping[str, Any]
) -> dict[str, Any]:
    """What ``config.yaml`` records, as it reads back.

    Args:
        flow: The flow.
        config: How it is trained.
        seed: The seed.
        data_settings: How its images were chosen.

    Returns:
        The sections of the file.
    """
    family, model = flow.recipe or ("by hand", None)
    fields = {} if model is None else dataclasses.asdict(model)  # type: ignore[call-overload]
    return {
        "model": {"family": family, **_with_lists(fields)},
        "train": _with_lists(dataclasses.asdict(config)),
        "data": _with_lists(data_settings),
        "seed": seed,
    }


def check_resumes(run: RunFolder, settings: Mapping[str, Any]) -> None:
    """Raise unless a run of the same settings, but for ``MAY_DIFFER``, is there to go on with.

    Args:
        run: Its folder.
        settings: What is asked for now.

    Raises:
        ValueError: If there is none, or it differs; the message lists all that does.
    """
    if not run.config.is_file():
        raise ValueError(f"resume: expected a run in '{run.path}', found none")
    recorded = run.read_config()
    unsaid = {"train": _with_lists(dataclasses.asdict(TrainConfig()))}
    if "condition" in settings["data"]:
        unsaid["data"] = {"condition": 0}
    found: list[str] = []
    for section, now in settings.items():
        own = recorded.get(section)
        if isinstance(now, Mapping):
            own = {**unsaid.get(section, {}), **(own or {})}
            found += _differences(section, own, now)
        elif own != now:
            found.append(f"{section} {own} (now {now})")
    if found:
        raise ValueError(f"resume: expected the run's own settings: {', '.join(found)}")


def steps_taken(run: RunFolder) -> int:
    """The step of the last checkpoint; 0 where the run was ended before there was one."""
    return int(read_checkpoint(run.last, "resume")["global_step"]) if run.last.is_file() else 0


def _differences(section: str, own: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    for name in sorted({*own, *now}):
        may_differ = {"train": MAY_DIFFER, "data": DATA_MAY_DIFFER}.get(section, ())
        if name not in may_differ and own.get(name) != now.get(name):
            yield f"{section}.{name} {own.get(name)} (now {now.get(name)})"


def _with_lists(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The same, tuples as the lists that YAML has for them."""
    return {k: list(v) if isinstance(v, tuple) else v for k, v in fields.items()}
