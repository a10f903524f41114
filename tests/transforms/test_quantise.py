"""Grey levels: every number of them quantises its own decoded pixels to themselves."""

from __future__ import annotations

import math

import pytest
import torch

from lambent.errors import DomainError
from lambent.transforms import Quantise

PIXELS = torch.arange(256, dtype=torch.uint8)[None]


def test_every_number_of_levels_requantises_to_the_same_level() -> None:
    for n in range(1, 257):
        levels = torch.arange(n, dtype=torch.uint8)[None]
        pixels, _ = Quantise(n).inverse(levels)
        assert pixels.dtype == torch.uint8
        assert torch.equal(Quantise(n)(pixels)[0], levels), n
        assert pixels[0].tolist() == [math.ceil(256 * j / n) for j in range(n)], n


def test_every_pixel_gets_its_level() -> None:
    for n in range(1, 257):
        levels, value = Quantise(n)(PIXELS)
        assert levels[0].tolist() == [x * n // 256 for x in range(256)], n
        assert value.tolist() == [0.0]


@pytest.mark.parametrize("bits", range(1, 9))
def test_powers_of_two_are_bit_shifts(bits: int) -> None:
    levels, _ = Quantise(2**bits)(PIXELS)
    assert torch.equal(levels, PIXELS >> (8 - bits))
    assert torch.equal(Quantise(2**bits).inverse(levels)[0], (PIXELS >> (8 - bits)) << (8 - bits))


def test_256_levels_are_the_pixels() -> None:
    assert torch.equal(Quantise(256)(PIXELS)[0], PIXELS)
    assert torch.equal(Quantise(256).inverse(PIXELS)[0], PIXELS)


def test_levels_are_equally_wide_to_one_pixel() -> None:
    for n in (3, 17, 100):
        counts = torch.bincount(Quantise(n)(PIXELS)[0][0].long())
        assert len(counts) == n
        assert counts.max() - counts.min() <= 1


@pytest.mark.parametrize("n", [0, 257, -1])
def test_numbers_out_of_range_are_refused(n: int) -> None:
    with pytest.raises(ValueError, match=f"grey_levels: expected 1 to 256, got {n}"):
        Quantise(n)


@pytest.mark.parametrize("x", [torch.tensor([[256]]), torch.tensor([[-1]]), torch.rand(1, 2)])
def test_what_is_no_pixel_is_refused(x: torch.Tensor) -> None:
    with pytest.raises(DomainError, match="expected integers 0 to 255"):
        Quantise(8)(x)
