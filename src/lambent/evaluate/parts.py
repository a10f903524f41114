"""The likelihood of a flow by the part that contributed it."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from lambent.core.transform import Entry

_POSITION = re.compile(r"^(level|step)?\d+$")


def part_of(path: str) -> str:
    """The kind of step a path names: ``scales.level0.step3.coupling`` is a ``coupling``."""
    names = [name for name in path.split(".") if not _POSITION.match(name)]
    return names[-1] if names else path


def level_of(path: str) -> int | None:
    """The scale an entry's path names, where it names one."""
    found = re.search(r"(?:^|\.)level(\d+)(?:\.|$)", path)
    return int(found[1]) if found else None


def bits_by_part(entries: Sequence[Entry], dims: int) -> dict[str, float]:
    """Mean bits per dimension of each kind of step; they sum to the flow's bits per dimension.

    Args:
        entries: The ledger of a batch.
        dims: Dimensions of one event.

    Returns:
        Part to mean bits, in the order in which the parts first appear; steps that contribute
        nothing by construction (a squeeze, say) are left out.
    """
    bits: dict[str, float] = {}
    for entry in entries:
        value = -float(entry.log_likelihood.detach().mean()) / (dims * math.log(2))
        if value != 0:
            bits[part_of(entry.path)] = bits.get(part_of(entry.path), 0.0) + value
    return bits
