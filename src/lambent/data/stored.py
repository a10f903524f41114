"""Image sets stored as pictures or parquet files, read through Hugging Face `datasets`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from lambent.data.layout import find_layout
from lambent.data.source import Row, content_of
from lambent.data.tables import Tables, read_tables
from lambent.errors import MissingExtraError

if TYPE_CHECKING:
    from datasets import IterableDataset


class Stored:
    """An image set in a folder or file: see :func:`~lambent.data.layout.find_layout` for layouts.

    Rows are streamed, so nothing is copied to a cache, no progress bar is drawn, and no network is
    touched. A parquet file needs the column ``image`` and may have ``label``.

    Args:
        path: The folder or the parquet file.

    Raises:
        ValueError: If it holds no images, or a parquet file cannot be read or lacks its column.
        MissingExtraError: If `datasets` is not installed.
    """

    grey_levels = 256

    def __init__(self, path: Path) -> None:
        try:
            import datasets  # noqa: F401
        except ImportError as error:
            raise MissingExtraError("datasets", "data") from error
        self.name = path.resolve().name
        self.class_names: tuple[str, ...] | None = None
        self._layout = find_layout(path)
        splits = self._layout.splits
        self._tables: Tables | None = None
        if self._layout.kind == "parquet":
            self._tables = read_tables(splits)
            self.counts = self._tables.counts
            self.class_names = self._tables.class_names
        else:
            self.counts = {split: len(files) for split, files in splits.items()}
            if self._layout.labelled:
                folders = {file.parent.name for files in splits.values() for file in files}
                self.class_names = tuple(sorted(folders))

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
                cell = row["image"]
                if self._tables is None:
                    yield Row(Path(cell["path"]), row.get("label"), cell["path"])
                else:
                    yield Row(content_of(cell), self._tables.code(row.get("label")), where)
        except (ArrowException, OSError) as error:
            raise ValueError(
                f"data: expected readable files, given split '{split}' of {self.name}: {error}"
            ) from error

    def _stream(self, split: str) -> IterableDataset:
        """Open a split without decoding its pictures.

        The builders are called themselves: `load_dataset` announces every load of local files to
        a server, and waits for seconds where there is none.
        """
        from datasets import Image
        from datasets.data_files import DataFilesList
        from datasets.packaged_modules.imagefolder.imagefolder import ImageFolder
        from datasets.packaged_modules.parquet.parquet import Parquet

        # As a resolved list, names such as "a[1].png" are not taken for glob patterns.
        files = {
            name: DataFilesList([str(file.absolute()) for file in paths], [])
            for name, paths in self._layout.splits.items()
        }
        with TemporaryDirectory() as cache:  # a lock file is all that goes there
            builder: ImageFolder | Parquet
            if self._tables is None:
                labelled = self._layout.labelled
                builder = ImageFolder(
                    cache_dir=cache, data_files=files, drop_labels=not labelled, drop_metadata=True
                )
            else:
                builder = Parquet(
                    cache_dir=cache,
                    data_files={split: files[split]},  # another split may have other columns
                    columns=self._tables.columns[split],
                )
            stream: IterableDataset = builder.as_streaming_dataset(split=split)
        return stream.cast_column("image", Image(decode=False))
