"""What a likelihood is told in."""

from __future__ import annotations

import math

import pytest

from lambent.core.units import Units, units_of
from lambent.distributions import StandardNormal


def test_images_are_told_in_bits() -> None:
    units = Units((3, 8, 8))
    assert (units.name, units.events, units.figure) == ("bits/dim", "images", "bits_per_dim")
    assert units.factor == 1
    assert units.title == "bits per dimension"
    assert units.sign("bound") == "≤"


def test_rows_are_told_in_nats_of_which_more_is_better() -> None:
    units = units_of(StandardNormal((5,)))
    assert (units.name, units.events, units.figure) == ("nats", "rows", "log_likelihood")
    assert units.factor * 2.0 == pytest.approx(-10 * math.log(2))
    assert units.title == "log-likelihood, nats"
    assert units.sign("bound") == "≥"
    assert [units.sign(kind) for kind in ("exact", "unbiased", "approximate")] == ["=", "≈", "≈"]
