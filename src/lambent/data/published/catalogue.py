"""The five tables that density estimators are compared on, and where their files lie."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from lambent.data.published.bsds300 import load_bsds300
from lambent.data.published.gas import load_gas
from lambent.data.published.hepmass import TEST, TRAIN, load_hepmass
from lambent.data.published.miniboone import load_miniboone
from lambent.data.published.power import load_power
from lambent.data.published.splits import Splits


@dataclass(frozen=True)
class Published:
    """One of the tables."""

    places: tuple[str, ...]
    """Paths under the root, the first that is there is read."""
    features: int
    """Columns that are left when it is prepared."""
    load: Callable[[Path], Splits]
    """What reads and prepares it."""
    within: tuple[str, ...] = ()
    """Files that there are in its folder, where it is one."""


PUBLISHED = {
    "power": Published(("power/data.npy",), 6, load_power),
    "gas": Published(("gas/ethylene_CO.pickle", "gas/ethylene_CO.txt"), 8, load_gas),
    "hepmass": Published(("hepmass",), 21, load_hepmass, (TRAIN, TEST)),
    "miniboone": Published(("miniboone/data.npy",), 43, load_miniboone),
    "bsds300": Published(("BSDS300/BSDS300.hdf5",), 63, load_bsds300),
}
"""The tables by name, with the places that the published archive has them in."""


def find_published(root: Path) -> dict[str, Path]:
    """Find the tables that lie under a folder.

    Args:
        root: The folder, which holds ``power``, ``gas``, ``hepmass``, ``miniboone``, ``BSDS300``,
            or some of them.

    Returns:
        The file, or HEPMASS's folder, of each that is there.
    """
    found = {}
    for name, table in PUBLISHED.items():
        for place in table.places:
            path = root / place
            files = [path / file for file in table.within] or [path]
            if name not in found and all(file.is_file() for file in files):
                found[name] = path
    return found


def load_published(name: str, path: Path) -> Splits:
    """Load one of the tables, prepared as published.

    Args:
        name: ``power``, ``gas``, ``hepmass``, ``miniboone`` or ``bsds300``.
        path: Its file, as :func:`find_published` found it.

    Returns:
        Training, validation and test rows.

    Raises:
        ValueError: If the file is another one, or other columns are left than were published.

    References:
        G. Papamakarios, T. Pavlakou and I. Murray, "Masked Autoregressive Flow for Density
        Estimation", 2017, arXiv:1705.07057, and the code released with it.
    """
    table = PUBLISHED[name]
    splits = table.load(path)
    if splits.features != table.features:
        raise ValueError(
            f"root: expected {table.features} columns of {name} when it is prepared, "
            f"given {splits.features} from {str(path)!r}"
        )
    return splits
