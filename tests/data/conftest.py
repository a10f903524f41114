from __future__ import annotations

from collections.abc import Callable, Sequence
from io import BytesIO
from pathlib import Path

import datasets
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

Pixels = npt.NDArray[np.uint8]
WriteTable = Callable[..., Path]


def png(pixels: Pixels) -> bytes:
    """Encode pixels (h, w) or (h, w, 3)."""
    file = BytesIO()
    Image.fromarray(pixels).save(file, format="PNG")
    return file.getvalue()


@pytest.fixture
def noise() -> Callable[..., Pixels]:
    """Pixels (h, w) or (h, w, 3) that differ from seed to seed."""

    def draw(seed: int, *shape: int) -> Pixels:
        return np.random.default_rng(seed).integers(0, 256, shape or (4, 6, 3), dtype=np.uint8)

    return draw


@pytest.fixture
def write_table() -> WriteTable:
    """Write a parquet file in the Hugging Face layout."""

    def write(
        path: Path,
        images: Sequence[bytes | None],
        labels: Sequence[int | str | float | None] | None = None,
        names: Sequence[str] | None = None,
        kind: str | None = None,
    ) -> Path:
        columns: dict[str, object] = {"image": [{"bytes": b, "path": None} for b in images]}
        features: dict[str, object] = {"image": datasets.Image()}
        if labels is not None:
            columns["label"] = list(labels)
            features["label"] = (
                datasets.ClassLabel(names=list(names)) if names else datasets.Value(kind or "int64")
            )
        path.parent.mkdir(parents=True, exist_ok=True)
        schema = datasets.Features(features).arrow_schema
        pq.write_table(pa.Table.from_pydict(columns, schema=schema), path)
        return path

    return write


@pytest.fixture
def write_png() -> Callable[[Path, Pixels], Path]:
    """Write a picture file, its folders included."""

    def write(path: Path, pixels: Pixels) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(png(pixels))
        return path

    return write
