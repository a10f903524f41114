"""The folder a training run leaves."""

from __future__ import annotations

import importlib.metadata
import platform
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml
from filelock import FileLock, Timeout

from lambent.files import replacing, sweep


class RunFolder:
    """Where the parts of a run lie.

    ``config.yaml`` (model, training, data, seed, versions), ``model/``, ``checkpoints/``,
    ``metrics.csv``, ``curve.png``, ``samples/``, ``tensorboard/``.

    Args:
        path: The folder.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.config = self.path / "config.yaml"
        self.model = self.path / "model"
        self.checkpoints = self.path / "checkpoints"
        self.best = self.checkpoints / "best.ckpt"
        self.last = self.checkpoints / "last.ckpt"
        self.metrics = self.path / "metrics.csv"
        self.curve = self.path / "curve.png"
        self.samples = self.path / "samples"

    def check_new(self) -> None:
        """Raise if a run is here already.

        Raises:
            ValueError: If the folder holds a run, or is a file.
        """
        if self.path.exists() and not self.path.is_dir():
            raise ValueError(f"out: expected a folder, got the file {self.path}")
        if self.config.exists() or self.last.exists():
            raise ValueError(
                f"out: {self.path} holds a run already; continue it with --resume, "
                "or choose another folder"
            )

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keep other processes from running here; sweep out what a killed one left half written.

        The lock is the operating system's: it goes with the process, however that ends. Where a
        new run fails before there is a checkpoint, its settings go, and a folder that was made for
        it, so that it does not stand in the way of the next.

        Raises:
            ValueError: If another process runs here, or nothing can be written here.
        """
        lock = FileLock(self.path / ".lock")
        made, new = not self.path.exists(), not self.config.exists()
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            lock.acquire(timeout=0)
        except Timeout as error:
            raise ValueError(
                f"out: expected a folder no run is using, got '{self.path}'"
            ) from error
        except OSError as error:
            raise self._not_writable(error) from error
        try:
            try:
                for folder in (self.path, self.checkpoints, self.model, self.samples):
                    sweep(folder)
                yield
            finally:
                lock.release()
        except Exception:
            if new and not (self.last.exists() or self.best.exists()):
                self.config.unlink(missing_ok=True)
                if made:
                    shutil.rmtree(self.path, ignore_errors=True)
            raise

    def write_config(self, settings: dict[str, Any]) -> None:
        """Write what the run was asked to do, with the versions it ran under.

        Args:
            settings: Plain values, lists and mappings.

        Raises:
            ValueError: If nothing can be written here.
        """
        text = yaml.safe_dump({**settings, "versions": versions()}, sort_keys=False)
        try:
            with replacing(self.config) as path:
                path.write_text(text)
        except OSError as error:
            raise self._not_writable(error) from error

    def _not_writable(self, error: OSError) -> ValueError:
        return ValueError(
            f"out: expected a folder that can be written, got '{self.path}': {error.strerror}"
        )

    def read_config(self) -> dict[str, Any]:
        """What the run was asked to do.

        Returns:
            The sections of ``config.yaml``.

        Raises:
            ValueError: If the folder holds no run.
        """
        if not self.config.is_file():
            raise ValueError(f"{self.path}: expected a run folder, found no config.yaml")
        try:
            settings = yaml.safe_load(self.config.read_text())
        except yaml.YAMLError as error:
            raise ValueError(f"{self.config}: expected YAML, got: {error}") from error
        if not isinstance(settings, dict):
            raise ValueError(f"{self.config}: expected a mapping")
        for section in ("model", "train", "data"):
            if not isinstance(settings.get(section, {}), dict | None):
                raise ValueError(f"{self.config}: expected a mapping in '{section}'")
        return settings


def versions() -> dict[str, str]:
    """The versions that decide a run's numbers."""
    found = {"python": platform.python_version()}
    for package in ("lambent", "torch", "lightning", "numpy"):
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found
