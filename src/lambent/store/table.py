"""Tables of named columns of any type, written whole."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from lambent.files import replacing

TABLE_SUFFIXES = (".parquet", ".csv", ".npz")
"""Of the files that :func:`write_arrow` can write."""


def write_arrow(path: Path, table: Any) -> None:
    """Write an Arrow table.

    Args:
        path: ``.parquet``, which keeps all types, ``.csv``, or ``.npz`` with an array a column;
            whole or not there.
        table: A ``pyarrow.Table``.
    """
    from pyarrow import csv, parquet  # type: ignore[import-untyped,unused-ignore]

    with replacing(path) as temporary:
        if path.suffix == ".parquet":
            parquet.write_table(table, temporary)
        elif path.suffix == ".csv":
            csv.write_csv(table, temporary)
        else:
            columns = {name: table[name].to_pylist() for name in table.column_names}
            np.savez(temporary, **{name: np.array(values) for name, values in columns.items()})  # type: ignore[arg-type]
