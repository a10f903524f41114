"""The options of the commands, from typed dataclasses; settings files are read as options too."""

from __future__ import annotations

import dataclasses
import sys
import typing
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from docstring_parser import parse_from_object
from jsonargparse import ArgumentError, ArgumentParser, Namespace, set_parsing_settings

from lambent.core.device import DeviceName
from lambent.core.registry import unknown
from lambent.data import DataConfig

set_parsing_settings(docstring_parse_attribute_docstrings=True)


class Options(ArgumentParser):
    """A parser of one command that names the nearest right option for an unknown one.

    Args:
        command: Name of the command.
        description: What it does.
    """

    def __init__(self, command: str, description: str) -> None:
        super().__init__(
            prog=f"lambent {command}", description=description, exit_on_error=False
        )
        self.add_argument("--json", action="store_true", help="print one JSON object")
        self.add_argument("--debug", action="store_true", help="show the traceback of an error")

    def add_data(self, *, split: str, required: bool = True) -> None:
        """``--data`` and one ``--data-NAME`` for each field of :class:`DataConfig`."""
        self.add_argument(
            "--data",
            type=str,
            required=required,
            help="digits, a folder of pictures, or parquet in the Hugging Face layout",
        )
        hints = typing.get_type_hints(DataConfig)
        docs = {p.arg_name: p.description for p in parse_from_object(DataConfig).params}
        for field in dataclasses.fields(DataConfig):
            self.add_argument(
                f"--data-{field.name}",
                type=hints[field.name],
                default=split if field.name == "split" else field.default,
                help=" ".join((docs.get(field.name) or "").split()),
            )

    def add_running(self, *, workers: bool = False) -> None:
        """``--seed``, ``--device`` and, where data is loaded in step, ``--workers``."""
        self.add_argument("--seed", type=int, default=0, help="of every draw")
        self.add_argument("--device", type=DeviceName, default="auto", help="where to run")
        if workers:
            self.add_argument("--workers", type=int, default=0, help="processes that load data")

    def read(self, arguments: Sequence[str]) -> Namespace:
        """Parse, or raise :class:`ValueError` with one line to print."""
        for argument in arguments:
            name = argument.split("=", 1)[0]
            if name.startswith("--") and name not in self._option_string_actions:
                options = [o for o in self._option_string_actions if o.startswith("--")]
                raise ValueError(unknown(name, options))
        try:
            return self.parse_args(list(arguments))
        except ArgumentError as error:
            raise ValueError(str(error)) from error


def data_config(options: Namespace) -> DataConfig:
    """The :class:`DataConfig` that ``--data-...`` options say."""
    names = [field.name for field in dataclasses.fields(DataConfig)]
    return DataConfig(**{name: options[f"data_{name}"] for name in names})


def read_settings(path: Path) -> dict[str, Any]:
    """A settings file: a YAML mapping.

    Raises:
        ValueError: If it is not there or not a mapping.
    """
    if not path.is_file():
        raise ValueError(f"config: expected a YAML file, got '{path}', which is not one")
    try:
        settings = yaml.safe_load(path.read_text())
    except yaml.YAMLError as error:
        raise ValueError(f"config: expected YAML in {path}, got: {error}") from error
    if not isinstance(settings, dict):
        raise ValueError(f"config: expected a mapping in {path}")
    return settings


def settings_as_options(settings: Mapping[str, Any]) -> list[str]:
    """A settings file as options: ``model.levels`` of the file is ``--model.levels``.

    ``data.name`` is ``--data`` and the rest of ``data`` ``--data-...``; ``versions`` and
    ``model.family`` are not options.
    """
    options: list[str] = []
    for section, value in settings.items():
        if section == "versions":
            continue
        if not isinstance(value, Mapping):
            options.append(f"--{section}={_yaml(value)}")
            continue
        for key, inner in value.items():
            if section == "data":
                options.append(f"--data={inner}" if key == "name" else f"--data-{key}={_yaml(inner)}")
            elif (section, key) != ("model", "family"):
                options.append(f"--{section}.{key}={_yaml(inner)}")
    return options


def _yaml(value: Any) -> str:
    text = yaml.safe_dump(value, default_flow_style=True, width=sys.maxsize)
    return text.removesuffix("...\n").strip()


def take(name: str, arguments: Sequence[str]) -> tuple[str | None, list[str]]:
    """Take one option out of the arguments: its value, and what is left.

    Raises:
        ValueError: If the option is there without a value.
    """
    left: list[str] = []
    value: str | None = None
    waiting = iter(arguments)
    for argument in waiting:
        if argument == name:
            value = next(waiting, None)
            if value is None or value.startswith("--"):
                raise ValueError(f"{name}: expected a value, got none")
        elif argument.startswith(f"{name}="):
            value = argument.removeprefix(f"{name}=")
        else:
            left.append(argument)
    return value, left
