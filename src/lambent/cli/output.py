"""What commands put out: a table for people, or one JSON object; and pictures."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from torch import Tensor

from lambent.data import write_picture


def report(title: str, figures: Mapping[str, Any], *, as_json: bool) -> None:
    """Print figures on standard output.

    Args:
        title: Heading of the table.
        figures: Name to number, text, or a nested mapping; what is None is left out.
        as_json: One JSON object instead of a table; numbers that are not finite become null.
    """
    figures = {name: value for name, value in figures.items() if value is not None}
    if as_json:
        sys.stdout.write(json.dumps(_finite(figures)) + "\n")
        return
    from rich.console import Console
    from rich.text import Text

    rows = _rows(figures)
    width = max(len(name) for name, _ in rows)
    console = Console(highlight=False)
    console.print(Text(title, "italic"), soft_wrap=True)
    for name, value in rows:  # not a rich table, which would fold at 80 columns in a pipe
        line = Text.assemble((name.ljust(width), "bold"), "  ", value)
        line.rstrip()
        console.print(line, soft_wrap=True)


def write_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table on standard output, one line for each row however long.

    Args:
        header: Names of the columns; the first is of words, the others of figures.
        rows: What stands below them.
    """
    from rich.console import Console
    from rich.text import Text

    widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]
    console = Console(highlight=False)
    for index, row in enumerate((header, *rows)):
        first, *figures = zip(row, widths, strict=True)
        cells = [first[0].ljust(first[1]), *(text.rjust(width) for text, width in figures)]
        line = Text("  ".join(cells), "" if index else "bold")
        line.rstrip()
        console.print(line, soft_wrap=True)


def write_out(path: Path, image: Tensor) -> None:
    """Write the picture that ``--out`` names.

    Args:
        path: The file.
        image: Pixels, uint8 ``(c, height, width)``.

    Raises:
        ValueError: If it cannot be written.
    """
    try:
        write_picture(path, image)
    except (ValueError, OSError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise ValueError(
            f"out: expected a picture file that can be written, got '{path}': {reason}"
        ) from error


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Say of the file that ``--out`` names when it cannot be written.

    Args:
        path: The file.

    Raises:
        ValueError: If writing it fails.
    """
    try:
        yield
    except OSError as error:
        raise ValueError(
            f"out: expected a file that can be written, got '{path}': {error.strerror or error}"
        ) from error


def check_suffix(path: Path, suffixes: Sequence[str], name: str = "out") -> None:
    """Raise unless a file's name ends in one of some suffixes.

    Args:
        path: The file.
        suffixes: With their dots.
        name: The option that named it.

    Raises:
        ValueError: If it does not.
    """
    if path.suffix not in suffixes:
        raise ValueError(
            f"{name}: expected a name that ends in {' or '.join(suffixes)}, got '{path}'"
        )


def _rows(figures: Mapping[str, Any], indent: str = "") -> list[tuple[str, str]]:
    rows: list[tuple[str, str]] = []
    for name, value in figures.items():
        label = indent + name.replace("_", " ")
        if isinstance(value, Mapping):
            rows += [(label, ""), *_rows(value, indent + "  ")]
        elif value is not None:
            rows.append((label, _text(value)))
    return rows


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        if 0 < abs(value) < 0.001:
            return f"{value:.1e}"
        return f"{value:.4f}" if abs(value) < 1000 else f"{value:,.0f}"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, (list, tuple)):
        return ", ".join(_text(v) for v in value)
    return str(value)


def _finite(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(k): _finite(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(v) for v in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
