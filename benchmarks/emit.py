"""How the scripts beside this one put their figures out."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any


def emit(figures: dict[str, Any], out: Path | None) -> None:
    """Print figures as JSON, and write them to a file if one is named."""
    text = json.dumps(figures, indent=2) + "\n"
    sys.stdout.write(text)
    if out is not None:
        out.write_text(text)
