"""MINIBOONE: a neutrino experiment."""

from __future__ import annotations

from pathlib import Path

from lambent.data.published.array import read_array
from lambent.data.published.splits import Splits, parted_in_order, standardised, tail


def load_miniboone(file: Path) -> Splits:
    """Load MINIBOONE as Papamakarios et al. (2017) prepare it.

    The published array has outliers and too repeated columns left out already. Its rows stay in
    their order and are standardised by mean and deviation of training and validation rows together.

    Args:
        file: ``miniboone/data.npy``.

    Returns:
        The parts, of 43 columns.

    Raises:
        ValueError: If the file is not such an array.
    """
    rows = read_array(file)
    learned, _ = tail(rows)
    return parted_in_order("miniboone", standardised(rows, learned, 0))
