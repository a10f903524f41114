"""The fixed affine map from levels to the unit range."""

from __future__ import annotations

import math

import pytest
import torch

from lambent.transforms import Rescale


def test_shift_comes_first() -> None:
    x = torch.randn(2, 3, 4)
    z, value = Rescale(0.25, shift=-2.0)(x)
    torch.testing.assert_close(z, (x - 2) / 4)
    torch.testing.assert_close(value, torch.full((2,), 12 * math.log(0.25)))


def test_negative_scale_counts_its_size() -> None:
    torch.testing.assert_close(Rescale(-3.0)(torch.randn(1, 5))[1], torch.tensor([5 * math.log(3)]))


def test_scale_of_zero_is_refused() -> None:
    with pytest.raises(ValueError, match="expected a number other than 0"):
        Rescale(0.0)
