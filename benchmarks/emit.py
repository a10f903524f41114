"""How the scripts beside this one put their figures out."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from lambent.files import replacing


def emit(figures: dict[str, Any], out: Path | None) -> None:
    """Print figures as JSON, and write them to a file if one is named."""
    text = json.dumps(figures, indent=2) + "\n"
    sys.stdout.write(text)
    if out is not None:
        write_text(out, text)


def write_json(path: Path, figures: dict[str, Any]) -> None:
    """Write figures as JSON, whole or not at all."""
    write_text(path, json.dumps(figures, indent=2) + "\n")


def write_text(path: Path, text: str) -> None:
    """Write a text file, whole or not at all."""
    with replacing(path) as temporary:
        temporary.write_text(text)
