"""The options of the commands, from typed dataclasses; settings files are read as options too."""

from __future__ import annotations

import dataclasses
import re
import sys
import typing
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import yaml
from docstring_parser import parse_from_object
from jsonargparse import ArgumentError, ArgumentParser, Namespace

from lambent.core.device import DeviceName
from lambent.data import DataConfig
from lambent.errors import unknown

Config = TypeVar("Config")


class Options(ArgumentParser):
    """A parser of one command that names the nearest right option for an unknown one.

    Args:
        command: Name of the command.
        description: What it does.
        usage: The usage line, where listing every option would be too long.
    """

    def __init__(self, command: str, description: str, usage: str | None = None) -> None:
        super().__init__(
            prog=f"lambent {command}", usage=usage, description=description, exit_on_error=False
        )
        self.taken: list[str] = []
        """Options that :func:`take` takes before the others are known."""
        self.add_argument("--json", action="store_true", help="print one JSON object")
        self.add_argument("--debug", action="store_true", help="show the traceback of an error")

    def add_taken(self, name: str, metavar: str, about: str) -> None:
        """Describe, in the help, an option that :func:`take` takes before the others are known.

        Args:
            name: The option.
            metavar: What its value is called.
            about: What it does.
        """
        self.taken.append(name)
        self.add_argument_group(f"{name} {metavar}", about)

    def add_fields(
        self, config_type: type[Any], prefix: str, title: str, **defaults: object
    ) -> None:
        """An option for each field of a dataclass.

        Args:
            config_type: The dataclass; its docstrings are the help.
            prefix: What comes before a field's name, such as ``--model.``.
            title: Heading of these options in the help.
            **defaults: Defaults other than the dataclass's own.
        """
        hints = typing.get_type_hints(config_type)
        docs = {p.arg_name: p.description or "" for p in parse_from_object(config_type).params}
        group = self.add_argument_group(title)
        for field in dataclasses.fields(config_type):
            about = " ".join(docs.get(field.name, "").replace("`", "").split())
            group.add_argument(
                f"{prefix}{field.name}",
                type=hints[field.name],
                default=defaults.get(field.name, field.default),
                help=about.replace("%", "%%"),
            )

    def add_run(self) -> None:
        """The positional ``run``; text, since ``./NAME`` is a folder and ``NAME`` may not be."""
        about = "a run folder, a model folder, or a pretrained model: digits-demo"
        self.add_argument("run", type=str, help=about)

    def add_data(
        self, *, split: str, defaults: Mapping[str, object] | None = None, required: bool = True
    ) -> None:
        """``--data`` and one ``--data-NAME`` for each field of :class:`DataConfig`.

        Args:
            split: Which rows, unless an option says otherwise.
            defaults: Of the other fields, where they are not the dataclass's own.
            required: Whether the command is nothing without data.
        """
        self.add_argument(
            "--data",
            type=str if required else str | None,
            required=required,
            help="digits; a folder of pictures; parquet, Arrow, npz, npy, IDX or CIFAR-10 binary "
            "files; hf:OWNER/NAME; or a table, in parquet, CSV, Arrow or npz",
        )
        self.add_fields(DataConfig, "--data-", "data", **{**(defaults or {}), "split": split})

    def add_running(self, *, workers: bool = False) -> None:
        """``--seed``, ``--device`` and, where data is loaded in step, ``--workers``."""
        self.add_argument("--seed", type=int, default=0, help="of every draw")
        self.add_argument("--device", type=DeviceName, default="auto", help="where to run")
        if workers:
            self.add_argument("--workers", type=int, default=0, help="processes that load data")

    def read(self, arguments: Sequence[str]) -> Namespace:
        """Parse the arguments of the command.

        Args:
            arguments: Without those that were taken.

        Returns:
            The values of the options.

        Raises:
            ValueError: If an option is unknown, missing or out of range; the message is one line.
        """
        for argument in arguments:
            name = argument.split("=", 1)[0]
            if name.startswith("--") and name not in self._option_string_actions:
                known = [o for o in self._option_string_actions if o.startswith("--")]
                raise ValueError(unknown(name, [*known, *self.taken]))
        try:
            options = self.parse_args(list(arguments))
        except ArgumentError as error:
            raise ValueError(_in_our_words(str(error))) from error
        for name in ("seed", "workers"):
            if options.get(name, 0) < 0:
                raise ValueError(f"{name}: expected a number from 0, got {options[name]}")
        return options


def _in_our_words(message: str) -> str:
    """What jsonargparse says of a value, as the other errors are put."""
    one = r'Parser key "(.+?)":\s+Expected an? (.*)\. Got value: (.*)'
    several = r'Parser key "(.+?)":.*Subtypes: \[([^\n]*)\]\n.*Given value: (.*)'
    found = re.fullmatch(one, message, re.S) or re.fullmatch(several, message, re.S)
    if found is None:
        return message
    name, kind, value = found.groups()
    kind = re.sub(r"<class '([\w.]+)'>", r"\1", kind).replace("NoneType", "null")
    kind = re.sub(r"typing\.Literal\[(.*?)\]", r"one of \1", kind)
    return f"{name.replace('_', '-', name.startswith('data_'))}: expected {kind}, got '{value}'"


def config_of(options: Namespace, config_type: type[Config], prefix: str) -> Config:
    """The dataclass that the options of its fields say.

    Args:
        options: What the parser read.
        config_type: The dataclass.
        prefix: What comes before a field's name, such as ``model.`` or ``data_``.

    Returns:
        An instance.
    """
    fields = dataclasses.fields(config_type)  # type: ignore[arg-type]
    return config_type(**{field.name: options[f"{prefix}{field.name}"] for field in fields})


def read_settings(path: Path) -> dict[str, Any]:
    """A settings file: a YAML mapping.

    Args:
        path: The file.

    Returns:
        Its sections.

    Raises:
        ValueError: If it is not there or not a mapping.
    """
    if not path.is_file():
        raise ValueError(f"config: expected a YAML file, got '{path}', which is not one")
    try:
        settings = yaml.safe_load(path.read_text())
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ValueError(f"config: expected YAML in {path}, got: {error}") from error
    if not isinstance(settings, dict):
        raise ValueError(f"config: expected a mapping in {path}")
    return settings


def model_named(settings: Mapping[str, Any]) -> str | None:
    """The family or preset that a settings file names: ``model: NAME`` or ``model.family``."""
    model = settings.get("model")
    name = model.get("family") if isinstance(model, Mapping) else model
    return None if name is None else str(name)


def settings_as_options(settings: Mapping[str, Any]) -> list[str]:
    """A settings file as options: ``model.levels`` of the file is ``--model.levels``.

    ``data.name`` is ``--data`` and the rest of ``data`` ``--data-...``; ``versions`` and the name
    of the model are not options.
    """
    options: list[str] = []
    for section, value in settings.items():
        if section == "versions":
            continue
        if not isinstance(value, Mapping):
            if section != "model":
                options.append(f"--{section}={_yaml(value)}")
            continue
        for key, inner in value.items():
            if section == "data":
                options.append(
                    f"--data={inner}" if key == "name" else f"--data-{key}={_yaml(inner)}"
                )
            elif (section, key) != ("model", "family"):
                options.append(f"--{section}.{key}={_yaml(inner)}")
    return options


def _yaml(value: Any) -> str:
    text: str = yaml.safe_dump(value, default_flow_style=True, width=sys.maxsize)
    return text.removesuffix("...\n").strip()


def take(name: str, arguments: Sequence[str]) -> tuple[str | None, list[str]]:
    """Take one option out of the arguments, before the others are known.

    Args:
        name: The option.
        arguments: The arguments of a command.

    Returns:
        Its value, the last if it is there more than once, and what is left.

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
