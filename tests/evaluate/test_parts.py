from __future__ import annotations

import math

import pytest
import torch

from lambent.core import Entry
from lambent.evaluate.parts import bits_by_part, level_of, part_of


@pytest.mark.parametrize(
    ("path", "part", "level"),
    [
        ("scales.level0.step3.coupling", "coupling", 0),
        ("scales.level12.prior", "prior", 12),
        ("rescale", "rescale", None),
        ("base", "base", None),
        ("3", "3", None),
        ("flow.0.actnorm", "actnorm", None),
        ("scales.level1.step0", "scales", 1),
        ("multilevel1.x", "x", None),
        ("level2", "level2", 2),
    ],
)
def test_paths(path: str, part: str, level: int | None) -> None:
    assert part_of(path) == part
    assert level_of(path) == level


def entry(path: str, *nats: float) -> Entry:
    return Entry(path, torch.zeros(len(nats), 1), torch.tensor(nats))


def test_bits_by_part() -> None:
    ln2 = math.log(2)
    entries = [
        entry("squeeze", 0.0, 0.0),
        entry("level0.step0.mix", -3 * ln2, -5 * ln2),
        entry("level0.step1.mix", 1 * ln2, 3 * ln2),
        entry("base", -10 * ln2, -20 * ln2),
    ]
    parts = bits_by_part(entries, 5)
    assert list(parts) == ["mix", "base"]  # a squeeze contributes nothing
    assert parts == {"mix": pytest.approx(0.4, abs=1e-6), "base": pytest.approx(3.0, abs=1e-6)}
