"""Image sets stored as parquet files, read through Hugging Face `datasets`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from lambent.data.arrow import ArrowSets
from lambent.data.source import Row, content_of
from lambent.data.tables import read_tables
from lambent.errors import MissingExtraError

if TYPE_CHECKING:
    from datasets import IterableDataset

_ROWS = 256
"""Rows read at a time; a file may have been written as one group of millions."""


class Parquet:
    """An image set in parquet files, with the column ``image`` and perhaps ``label``.

    Rows are streamed, so nothing is copied to a cache, no progress bar is drawn, and no network is
    touched.

    Args:
        name: What to call the set.
        splits: The files of each split.

    Raises:
        ValueError: If a file cannot be read or lacks its column.
        MissingExtraError: If `datasets` is not installed.
    """

    grey_levels = 256

    def __init__(self, name: str, splits: Mapping[str, tuple[Path, ...]]) -> None:
        try:
            import datasets  # noqa: F401
        except ImportError as error:
            raise MissingExtraError("datasets", "data") from error
        self.name = name
        self._tables = read_tables(splits)
        self.counts = self._tables.counts
        self.class_names = self._tables.class_names
        # As absolute names, not glob patterns: "a[1].parquet" is a file.
        self._files = {split: [str(f.absolute()) for f in files] for split, files in splits.items()}

    def rows(self, split: str) -> Iterator[Row]:
        """Yield the rows of a split, in the order of its files.

        Args:
            split: One of ``counts``.

        Yields:
            Each row.

        Raises:
            ValueError: If a file turns out to be damaged.
        """
        from pyarrow import ArrowException  # type: ignore[import-untyped,unused-ignore]

        try:
            for index, row in enumerate(self._stream(split)):
                where = f"row {index} of split '{split}' of {self.name}"
                yield Row(content_of(row["image"]), self._tables.code(row.get("label")), where)
        except (ArrowException, OSError) as error:
            raise ValueError(
                f"data: expected readable files, given split '{split}' of {self.name}: {error}"
            ) from error

    def numbered(self) -> ArrowSets:
        """The rows by number, from memory-mapped Arrow files in the cache of `datasets`.

        They are written there when first asked for, as large as the parquet files unfolded, and
        anew when a parquet file has another size or time of change.

        Returns:
            The same rows.

        Raises:
            ValueError: If a file is damaged, or there is no room for the cache.
        """
        from datasets import (
            are_progress_bars_disabled,
            disable_progress_bars,
            enable_progress_bars,
        )

        tables = {}
        shown = not are_progress_bars_disabled()
        disable_progress_bars()
        for split in self.counts:
            try:
                builder = self._builder(split, None)
                builder.download_and_prepare()
                tables[split] = builder.as_dataset(split=split)
            except Exception as error:  # of pyarrow, of the file system, of datasets
                raise ValueError(
                    f"data: expected readable files and room for the cache of datasets, given "
                    f"split '{split}' of {self.name}: {error.__cause__ or error}"
                ) from error
            finally:
                if shown:
                    enable_progress_bars()
        return ArrowSets(self.name, tables, self._tables.code, self.class_names)

    def _stream(self, split: str) -> IterableDataset:
        """Open a split without decoding its pictures."""
        from datasets import Image

        with TemporaryDirectory() as cache:  # a lock file is all that goes there
            stream: IterableDataset = self._builder(split, cache).as_streaming_dataset(split=split)
        return stream.cast_column("image", Image(decode=False))

    def _builder(self, split: str, cache: str | None) -> Any:
        """What reads a split; other splits may have other columns.

        It is called itself: `load_dataset` announces every load of local files to a server, and
        waits for seconds where there is none.
        """
        from datasets.data_files import DataFilesList
        from datasets.packaged_modules.parquet.parquet import Parquet as Builder

        stats = [Path(file).stat() for file in self._files[split]]
        marks = [(str(stat.st_size), str(stat.st_mtime_ns)) for stat in stats]  # of its cache
        files = {split: DataFilesList(self._files[split], marks)}
        return Builder(
            cache_dir=cache,
            data_files=files,
            columns=self._tables.columns[split],
            batch_size=_ROWS,
        )
